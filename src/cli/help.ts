import type { Command } from 'commander';

interface Help {
  group: string;
  /** One or two commands as they are typed, with what they do where that is not clear. */
  examples: string[];
}

const RUN = 'Run the site:';
const PUBLISH = 'Publish:';
const LOOK = 'See what is going on:';
const SET_UP = 'Set up:';

/** By command, of one below another by both names. The groups are listed in the order of their first commands in main.ts. */
const HELP: Record<string, Help> = {
  init: {
    group: SET_UP,
    examples: [
      'slots init',
      'slots init --yes   # ask nothing',
      'slots init --https example.com www.example.com --email me@example.com --agree-tos',
    ],
  },
  doctor: {
    group: SET_UP,
    examples: ['slots doctor', 'slots doctor --json | jq ".checks[] | select(.level != \\"ok\\")"'],
  },
  completion: {
    group: SET_UP,
    examples: [
      'slots completion bash > ~/.local/share/bash-completion/completions/slots',
      'slots completion zsh > ~/.zfunc/_slots   # with ~/.zfunc in $fpath',
      'slots completion fish > ~/.config/fish/completions/slots.fish',
    ],
  },
  up: { group: RUN, examples: ['slots up', 'slots -C /srv/blog up --foreground'] },
  down: { group: RUN, examples: ['slots down'] },
  upgrade: { group: RUN, examples: ['slots upgrade   # after npm install two-slots@latest'] },
  front: {
    group: RUN,
    examples: [
      'slots front up',
      'slots front reload   # after a change of front.json',
      'slots front status --json | jq -r ".sites[].hosts[]"',
    ],
  },
  build: { group: PUBLISH, examples: ['slots build   # in a Dockerfile, as its last step'] },
  promote: { group: PUBLISH, examples: ['slots promote --wait && echo live'] },
  restart: {
    group: PUBLISH,
    examples: ['slots restart   # after a change of env, envFiles or .env'],
  },
  rollback: {
    group: PUBLISH,
    examples: ['slots rollback', 'slots rollback r20260131T120000-1a2b3c'],
  },
  pause: { group: PUBLISH, examples: ['slots pause && git pull && slots resume'] },
  resume: { group: PUBLISH, examples: ['slots resume'] },
  maintenance: {
    group: RUN,
    examples: [
      'slots maintenance on --message "Back at noon." --allow 203.0.113.7',
      'slots maintenance off',
    ],
  },
  status: {
    group: LOOK,
    examples: ['slots status --watch', 'slots status --json | jq -r .active'],
  },
  releases: { group: LOOK, examples: ['slots releases'] },
  history: { group: LOOK, examples: ['slots history -n 5'] },
  logs: { group: LOOK, examples: ['slots logs build', 'slots logs proxy -f'] },
  cache: { group: LOOK, examples: ['slots cache'] },
  purge: {
    group: PUBLISH,
    examples: [
      'slots purge',
      'slots purge /prices/ "/blog/**"   # after a change that no edit makes',
      'slots purge --tag posts author:7   # what the site has given these tags',
    ],
  },
  certs: { group: LOOK, examples: ['slots certs', 'slots certs renew www.example.com'] },
  dash: { group: LOOK, examples: ['slots dash'] },
  fleet: { group: LOOK, examples: ['slots fleet', 'slots fleet invite'] },
  'fleet invite': { group: SET_UP, examples: ['slots fleet invite   # on a machine that serves'] },
  'fleet join': {
    group: SET_UP,
    examples: [
      'slots fleet join   # asks for the word, which stays out of the history of the shell',
      'slots fleet join - < invitation',
    ],
  },
};

/** Puts every command into its group and an example under its own help. */
export function addHelp(program: Command): void {
  for (const command of program.commands) {
    const name = command.name();
    const group = HELP[name]?.group;
    if (group) command.helpGroup(group);
    addExamples(command, HELP[name]);
    for (const below of command.commands) addExamples(below, HELP[`${name} ${below.name()}`]);
  }
  program.commandsGroup(SET_UP);
  program.helpCommand('help [command]', 'the help of a command, with an example');
}

function addExamples(command: Command, help: Help | undefined): void {
  if (!help) return;
  const lines = help.examples.map((example) => `  $ ${example}`);
  const title = lines.length > 1 ? 'Examples:' : 'Example:';
  command.addHelpText('after', `\n${title}\n${lines.join('\n')}`);
}

/** Commands for programs begin with an underscore. */
export function isHidden(command: Command): boolean {
  return command.name().startsWith('_');
}
