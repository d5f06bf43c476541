import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { type SitePaths, sitePaths } from '../slots/paths.ts';
import { VERSION } from '../version.ts';
import { build } from './build.ts';
import { purge, showCache } from './cache.ts';
import { renewCertificates, showCertificates } from './certs.ts';
import { chooseSite, givenSite } from './choose-site.ts';
import { completion, SHELLS } from './completion.ts';
import { dash } from './dash.ts';
import { doctor } from './doctor.ts';
import { down } from './down.ts';
import { explain } from './explain.ts';
import { showFleet } from './fleet.ts';
import { invite } from './fleet-invite.ts';
import { join as joinFleet } from './fleet-join.ts';
import { FRONT_ACTIONS, front } from './front.ts';
import { addHelp } from './help.ts';
import { history } from './history.ts';
import { init } from './init.ts';
import { LOG_NAMES, logs } from './logs.ts';
import { maintenance } from './maintenance.ts';
import { pause, resume } from './pause.ts';
import { promote } from './promote.ts';
import { listReleaseIds, releases } from './releases.ts';
import { restart } from './restart.ts';
import { rollback } from './rollback.ts';
import { status } from './status.ts';
import { up } from './up.ts';
import { upgrade } from './upgrade.ts';

const LOCAL = ['--local', 'on this machine alone, where it belongs to a fleet'] as const;

const program = new Command('slots')
  .description('Publishes a self-hosted Node site without a visitor ever noticing.')
  .version(VERSION)
  .option('-C, --root <folder>', 'the site, when it is not the current folder')
  .showSuggestionAfterError()
  .showHelpAfterError('(`slots --help` lists the commands)')
  .exitOverride();

program
  .command('up')
  .description(
    'build if there is no release, start everything under PM2, wait for the first answer',
  )
  .option('--foreground', 'stay attached with the logs; Ctrl-C stops what this started')
  .addOption(
    new Option('--return <pid>', 'for the controller with this pid, whose PM2 daemon has died')
      .argParser(Number)
      .hideHelp(),
  )
  .action((options) => withSite((config, paths) => up(config, paths, options)));

program
  .command('down')
  .description("stop and remove the site's PM2 apps")
  .action(() => withSite(down));

program
  .command('status')
  .description('who is active, both slots, what runs and what happened last')
  .option('--json', 'for programs; stable')
  .option('--watch', 'update in place')
  .action((options) => withSite((config, paths) => status(config, paths, options)));

program
  .command('build')
  .description('build a release and keep it, promote nothing')
  .action(() => withSite(build));

program
  .command('promote')
  .description('build and promote now')
  .option('--wait', 'until it is live or has failed')
  .action((options) => withSite((_config, paths) => promote(paths, options)));

program
  .command('restart')
  .description('fresh processes with the current environment, without downtime')
  .action(() => withSite(restart));

program
  .command('upgrade')
  .description('after a new Node, PM2 or slots: replace everything, without downtime')
  .action(() => withSite(upgrade));

program
  .command('rollback')
  .description('back to the standby at once, or to a kept release; pauses edits')
  .argument('[release]', 'an id from `slots releases`')
  .option(...LOCAL)
  .action((release, options) => withSite((_config, paths) => rollback(paths, release, options)));

program
  .command('releases')
  .description('what is kept')
  .option('--json', 'for programs')
  .action((options) => withSite((_config, paths) => releases(paths, options)));

program
  .command('history')
  .description('what happened')
  .option('--json', 'for programs')
  .option('-n, --lines <count>', 'how many entries', positiveInteger, 20)
  .action((options) => withSite((_config, paths) => history(paths, options)));

program
  .command('dash')
  .description("the dashboard's address, opened in a browser where there is one")
  .option('--open', 'also when this is not a terminal; fails without a browser')
  .option('--no-open', 'only print it')
  .action((options) => withSite((config, paths) => dash(config, paths, options)));

program
  .command('logs')
  .description('logs of the apps, or of the newest build')
  .addArgument(
    new Argument('[which]', 'build, proxy, watcher, blue or green; all apps without it').choices(
      LOG_NAMES,
    ),
  )
  .option('-f, --follow', 'go on with what is written from now on')
  .option(
    '-n, --lines <count>',
    'how many lines of each log; 30, and all of a build; 0 with -f for new ones alone',
    countOfLines,
  )
  .action((which, options) => withSite((config, paths) => logs(config, paths, which, options)));

program
  .command('cache')
  .description('what is stored in memory, and how well that serves')
  .option('--json', 'for programs')
  .action((options) => withSite((_config, paths) => showCache(paths, options)));

program
  .command('purge')
  .description('forget what is stored in memory; all of it without a path and a tag')
  .argument('[path...]', 'of the site, such as /blog/ or "/blog/**"')
  .option('--tag <tag...>', 'what has one of these tags (Slots-Cache-Tag, Cache-Tag, Astro.cache)')
  .option(...LOCAL)
  .action((which, options) => withSite((_config, paths) => purge(paths, which, options)));

const certs = program
  .command('certs')
  .description('certificates: hosts, issuer, end, next try and last error')
  .option('--json', 'for programs; stable')
  .action((options) => withSite((_config, paths) => showCertificates(paths, options)));

certs
  .command('renew')
  .description('order anew now, for one host or for all, and wait for it')
  .argument('[host]', 'one of `proxy.tls.acme.hosts`')
  .action((host) => withSite((_config, paths) => renewCertificates(paths, host)));

program
  .command('pause')
  .description('do not promote edits for now')
  .option(...LOCAL)
  .action((options) => withSite((_config, paths) => pause(paths, options)));

program
  .command('resume')
  .description('promote edits again, those made meanwhile too')
  .option(...LOCAL)
  .action((options) => withSite((_config, paths) => resume(paths, options)));

program
  .command('maintenance')
  .description('every visitor gets a 503 page in place of the site, or the site again')
  .addArgument(new Argument('<word>', 'on or off').choices(['on', 'off']))
  .option('--message <text>', 'what visitors are told')
  .option('--allow <cidr...>', 'addresses that see the site all the same')
  .option(...LOCAL)
  .action((word, options) => withSite((_config, paths) => maintenance(paths, word, options)));

const fleet = program
  .command('fleet')
  .description('the machines, what each serves, and who builds')
  .option('--json', 'for programs; stable')
  .action((options) => withSite((_config, paths) => showFleet(paths, options)));

fleet
  .command('invite')
  .description('print the word by which another machine joins; it is a secret')
  .action(() => withSite(invite));

fleet
  .command('join')
  .description("take the fleet's keys on a new machine")
  .argument('[invitation]', 'of `slots fleet invite`; read from stdin without it')
  .option('--force', 'also where this machine has another key')
  .action((word, options) => withSite((config, paths) => joinFleet(config, paths, word, options)));

program
  .command('front')
  .description('the ports 80 and 443 that the sites with "hosts" share')
  .addArgument(new Argument('<action>', 'init, up, down, reload or status').choices(FRONT_ACTIONS))
  .option('--json', 'for programs; of `status`')
  .option('--yes', 'replace what is there already; of `init`')
  .action((action, options) => front(action, options));

program
  .command('init')
  .description('write a config for the framework that the site uses')
  .option('--yes', 'replace what is there already without asking')
  .option('--dockerfile', 'write a Dockerfile too')
  .option('--build <command>', 'builds the site into {outDir}, when it is not recognised')
  .option('--no-build', 'nothing is built: the site is a copy of its files')
  .option('--static [folder]', "the files of a folder are the site, or of the site's own folder")
  .option('--entry <file>', "the server's file in {outDir}, or `static:` for files to serve")
  .option('--https <host...>', 'order certificates for these hosts, on the ports 443 and 80')
  .option('--email <address>', 'with --https: where the CA writes to')
  .option('--agree-tos', "with --https: you agree to Let's Encrypt's terms of service")
  .action((options) => init(givenSite(givenRoot() ?? '.'), options));

program
  .command('doctor')
  .description('check the machine, the config and what runs')
  .option('--json', 'for programs')
  .action((options) => doctor(chosenSite(), options));

program
  .command('completion')
  .description('print a completion script for your shell')
  .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(SHELLS))
  .action((shell) => completion(program, shell));

// Asked by the completion scripts; a broken config must not take the ids away.
program
  .command('_releases', { hidden: true })
  .action(async () => listReleaseIds(sitePaths(chosenSite())));

addHelp(program);

// `slots logs | head` closes the pipe while there is more to say.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const exitCode = await program.parseAsync().then(
  () => 0,
  (error: unknown) => explain(error),
);
// Not left to Node: PM2's client goes on looking for a daemon that has ended (Client.disconnectBus).
await Promise.all([process.stdout, process.stderr].map(written));
process.exit(exitCode);

/** Waits for slow readers of a pipe or a socket: what they have not taken is lost with the process. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) resolve();
    else stream.write('', () => resolve());
  });
}

function withSite(act: (config: Config, paths: SitePaths) => Promise<void>): Promise<void> {
  const root = chosenSite();
  return act(loadConfig(root), sitePaths(root));
}

function chosenSite(): string {
  return chooseSite(givenRoot());
}

function givenRoot(): string | undefined {
  return program.opts<{ root?: string }>().root;
}

/** As of `tail`: none, before those that follow, too. */
function countOfLines(text: string): number {
  return text === '0' ? 0 : positiveInteger(text);
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('a whole number above 0 was expected.');
}
