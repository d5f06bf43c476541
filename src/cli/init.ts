import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { SlotsError } from '../errors.ts';
import type { Change } from './init/change.ts';
import { type InitOptions, type Plan, planInit } from './init/plan.ts';
import { table } from './terminal/format.ts';
import { style } from './terminal/style.ts';

/** How a person is asked; `null` where nobody is there. */
export type Ask = ((question: string) => Promise<boolean>) | null;

/**
 * `slots init`: writes what a site needs to be published, and nothing over what somebody has written without a yes.
 *
 * @throws SlotsError `NO_FRAMEWORK`; `WOULD_REPLACE` when there is nobody to ask
 */
export async function init(
  root: string,
  options: InitOptions,
  ask = askOnTerminal(),
): Promise<void> {
  const plan = planInit(root, options);
  printFound(plan);
  const wanted = await agreed(plan.changes, options.yes === true, ask);
  for (const { path, text, effect } of wanted) {
    if (effect !== 'same') await writeFile(join(root, path), text);
  }
  printDone(plan, wanted);
}

async function agreed(changes: Change[], yes: boolean, ask: Ask): Promise<Change[]> {
  const replaced = changes.filter(({ effect }) => effect === 'replaces');
  if (yes || replaced.length === 0) return changes;
  if (ask === null) {
    const paths = replaced.map(({ path }) => path).join(', ');
    throw new SlotsError(
      'WOULD_REPLACE',
      `${paths}: there already, and different; nothing was written`,
      {
        hint: 'with --yes it is replaced; on a terminal you are asked',
      },
    );
  }
  const refused = new Set<Change>();
  for (const change of replaced) {
    if (!(await ask(`Replace what ${change.path} has (${change.what})?`))) refused.add(change);
  }
  return changes.filter((change) => !refused.has(change));
}

function askOnTerminal(): Ask {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return null;
  return async (question) => {
    const prompt = createInterface({ input: process.stdin, output: process.stdout });
    try {
      return /^y(es)?$/i.test((await prompt.question(`${question} [y/N] `)).trim());
    } finally {
      prompt.close();
    }
  };
}

function printFound({ preset }: Plan): void {
  if (!preset) return;
  const rows = [
    ['found', style('bold', preset.name)],
    ['build', preset.build === false ? 'nothing to run; files are copied' : preset.build.join(' ')],
    ['entry', preset.entry],
    ['watch', preset.watch.join(', ')],
  ];
  console.log(
    `${table(rows.map(([key = '', value = '']) => [`  ${style('dim', key)}`, value]))}\n`,
  );
}

const DONE = { new: 'written', adds: 'added to', replaces: 'replaced', same: 'as it was' };

function printDone({ changes, notes }: Plan, written: Change[]): void {
  const rows = changes.map((change) => [
    `  ${style('dim', written.includes(change) ? DONE[change.effect] : 'kept')}`,
    change.path,
    style('dim', change.what),
  ]);
  console.log(table(rows));
  for (const note of notes) console.log(`\n${style('yellow', 'to do')}  ${note}`);
  console.log(`\nnext: ${style('bold', 'npx slots up')}`);
}
