import { SlotsError } from '../errors.ts';
import { runGroups } from './doctor/check.ts';
import { collectFacts } from './doctor/facts.ts';
import { groups } from './doctor/groups.ts';
import { countLevel, renderDoctor } from './doctor/render.ts';

/**
 * `slots doctor`: looks at the machine, the config, what is on the disk and what runs. It starts nothing and
 * changes nothing, and goes on where something is broken.
 *
 * @throws SlotsError `DOCTOR_PROBLEM` when the site cannot work as it is
 */
export async function doctor(root: string, options: { json?: boolean }): Promise<void> {
  const results = await runGroups(groups(await collectFacts(root)));
  const problems = countLevel(results, 'problem');
  if (options.json) {
    const checks = results.flatMap(({ title, checks }) =>
      checks.map((check) => ({ group: title, ...check })),
    );
    const warnings = countLevel(results, 'warning');
    console.log(JSON.stringify({ ok: problems === 0, problems, warnings, checks }, null, 2));
  } else {
    console.log(renderDoctor(results));
  }
  if (problems > 0) throw new SlotsError('DOCTOR_PROBLEM', 'not everything is as it should be');
}
