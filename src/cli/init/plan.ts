import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { detectFramework, filesOf } from '../../config/detect.ts';
import { defaultName, findConfigFile, readPackageJson } from '../../config/load.ts';
import type { Preset } from '../../config/presets/preset.ts';
import { PRIVATE } from '../../config/presets/static-folder.ts';
import { tlsSchema } from '../../config/tls-schema.ts';
import { SlotsError } from '../../errors.ts';
import { contentOutside, describeUnwatched } from '../content-outside.ts';
import { ownAddressUse, saysOwnAddress } from '../own-address.ts';
import { type Change, lineEndOf, wholeFile } from './change.ts';
import { configText, type HttpsChoice } from './config-text.ts';
import { dockerFiles } from './docker-files.ts';
import { withScripts } from './package-scripts.ts';

export interface InitOptions {
  yes?: boolean;
  dockerfile?: boolean;
  /** Instead of what the preset says; `false` (`--no-build`): nothing is built, and the site's files are the release. */
  build?: string | false;
  entry?: string;
  /** `--static [folder]`: the files of this folder are the site; of the site's own where none is named. */
  static?: string | true;
  /** Hosts to order certificates for. */
  https?: string[];
  email?: string;
  agreeTos?: boolean;
}

/** The findings about a site, and the files to be written into it. */
export interface Plan {
  preset: Preset | null;
  changes: Change[];
  /** Notes for the person: what is left to do or to know. */
  notes: string[];
}

const CONFIG_FILE = 'slots.config.ts';

/**
 * Looks at the site and decides; writes nothing.
 *
 * @throws SlotsError `NO_FRAMEWORK` when nothing tells how the site is built and started
 */
export function planInit(root: string, options: InitOptions): Plan {
  const read = (path: string) =>
    existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : null;
  const packageJson = readPackageJson(root);
  const packageText = read('package.json');
  const given = givenPreset(options);
  const entry = options.entry ?? (options.static === undefined ? undefined : 'static:');
  const preset = given ?? detectFramework(packageJson, filesOf(root, packageJson));
  const existing = findConfigFile(root);
  const isKnown =
    (options.build ?? preset?.build) !== undefined && (entry ?? preset?.entry) !== undefined;
  // A config says itself how the site is built and started.
  if (!isKnown && existing === null) throw notRecognised(root);

  const notes = preset?.todo && options.build === undefined ? [preset.todo] : [];
  if (preset) notes.push(...advice(root, preset));
  const changes: Change[] = [];
  if (isKnown && (existing === null || basename(existing) === CONFIG_FILE)) {
    const text = configText({
      preset,
      name: defaultName(packageJson) === undefined ? nameOf(root) : null,
      build: options.build === false ? undefined : options.build,
      isGiven: given !== null,
      entry,
      https: httpsOf(options),
      hasPackage: hasPackage(root),
    });
    changes.push(wholeFile(CONFIG_FILE, read(CONFIG_FILE), text, 'how slots publishes this site'));
  } else notes.push(`${basename(existing as string)} is there already and stays as it is`);
  changes.push(withIgnored(read('.gitignore')));
  if (packageText !== null) changes.push(withScripts(packageText));
  if (options.dockerfile && packageText === null) {
    notes.push(
      'there is no package.json, so there is nothing that an image could install slots from',
    );
  } else if (options.dockerfile) changes.push(...dockerFiles(read));
  return { preset, changes, notes };
}

/** @throws SlotsError `USAGE` when something is missing that the CA wants, or is no host */
function httpsOf({ https: hosts, email, agreeTos }: InitOptions): HttpsChoice | null {
  if (!hosts) return null;
  const parsed = tlsSchema.safeParse({ acme: { email, agreeTos: agreeTos === true, hosts } });
  if (parsed.success) return { hosts: parsed.data.acme?.hosts ?? hosts, email: email ?? '' };
  const [issue] = parsed.error.issues;
  const wrong = issue?.path[1] === 'hosts' ? `--https ${hosts.join(' ')}` : null;
  const option = issue?.path[1] === 'email' ? '--email <address>' : '--agree-tos';
  throw new SlotsError(
    'USAGE',
    wrong
      ? `${wrong}: ${issue?.message} was expected`
      : `--https needs ${option}: ${issue?.message}`,
    {
      hint: 'for instance `slots init --https example.com www.example.com --email me@example.com --agree-tos`',
    },
  );
}

/** A config from the command line alone: the files are there already, and slots or the site's own server serves them. */
function givenPreset({ entry, build, static: folder }: InitOptions): Preset | null {
  if (folder !== undefined && typeof build !== 'string') {
    const from = folder === true ? '.' : folder.replace(/\/$/, '');
    const copy = [{ from, to: '.', ...(from === '.' && { except: PRIVATE }) }];
    return { name: 'static files', build: false, copy, entry: 'static:', watch: [from] };
  }
  if (build !== false) return null;
  const copy = [{ from: '.', to: '.' }];
  return {
    name: 'files as they are',
    build: false,
    copy,
    entry: entry ?? 'server.js',
    watch: ['.'],
  };
}

/** Notes that are good to know before the first visitor comes. */
function advice(root: string, preset: Preset): string[] {
  const file = ownAddressUse(root, preset);
  const unwatched = contentOutside(root, preset.watch).map(describeUnwatched);
  return [
    ...(preset.advice ? [preset.advice] : []),
    ...(preset.ownAddress && file !== null
      ? [`${saysOwnAddress(preset.name, file)}: ${preset.ownAddress.instead}`]
      : []),
    ...(unwatched.length > 0
      ? [`no edit is seen of ${unwatched.join(', ')}: add it to "watch" if pages are made of it`]
      : []),
    ...(preset.entry.startsWith('static:') ? [] : [TWO_PROCESSES]),
  ];
}

const TWO_PROCESSES =
  'two processes serve each slot, and what one keeps in memory the other does not know: keep sessions in a store, or set "proxy.affinity" to "cookie", or "instances" to 1 (docs/frameworks.md, "More than one process")';

function notRecognised(root: string): SlotsError {
  return new SlotsError(
    'NO_FRAMEWORK',
    `${root}: nothing tells how this site is built and started`,
    {
      hint: 'say it: slots init --build "<command that writes to {outDir}>" --entry <file in {outDir}>',
    },
  );
}

/** The folder's name, as far as PM2 can carry it. */
function nameOf(root: string): string {
  return (
    basename(root)
      .replaceAll(/[^\w.-]+/g, '-')
      .replace(/^[^a-zA-Z0-9]+/, '') || 'site'
  );
}

/** Whether the site's own packages have this one: run from elsewhere, editors and PM2 would not find it. */
function hasPackage(root: string): boolean {
  try {
    createRequire(join(root, 'package.json')).resolve('two-slots/ecosystem');
    return true;
  } catch {
    return false;
  }
}

/** Releases and state are no source. */
function withIgnored(before: string | null): Change {
  const text = before ?? '';
  const change = { path: '.gitignore', what: '/slots/' };
  if (/^\/?slots\/?\*?\s*$/m.test(text)) return { ...change, text, effect: 'same' };
  const eol = lineEndOf(text);
  const start = text === '' || text.endsWith('\n') ? text : text + eol;
  return { ...change, text: `${start}/slots/${eol}`, effect: before === null ? 'new' : 'adds' };
}
