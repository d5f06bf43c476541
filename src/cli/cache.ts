import type { Status } from '../controller/admin/status.ts';
import { SlotsError } from '../errors.ts';
import type { SitePaths } from '../slots/paths.ts';
import { callController, type LocalOption, withLocal } from './client.ts';
import { bytes } from './terminal/format.ts';

/** `slots cache`: what is stored, and how much of what visitors ask comes from there. */
export async function showCache(paths: SitePaths, options: { json?: boolean }): Promise<void> {
  const { cache } = await callController<Status>(paths, 'GET', '/api/status');
  if (options.json) {
    console.log(JSON.stringify(cache, null, 2));
    return;
  }
  const { hits, misses } = cache;
  const share = hits + misses === 0 ? '' : ` (${Math.round((100 * hits) / (hits + misses))} %)`;
  console.log(`${cache.entries} answers in memory, ${bytes(cache.bytes)}, of all workers`);
  console.log(`${hits} requests answered from memory${share}, ${misses} sent on to the site`);
}

/** `slots purge [path…] [--tag <tag…>]`: forgets what is stored; the next visitor gets it from the site. */
export async function purge(
  paths: SitePaths,
  which: string[],
  { tag: tags = [], ...local }: LocalOption & { tag?: string[] } = {},
): Promise<void> {
  const wrong = which.find((path) => !path.startsWith('/'));
  if (wrong !== undefined) {
    throw new SlotsError('USAGE', `"${wrong}" is not a path: it should begin with "/"`, {
      hint: 'for instance `slots purge /blog/first-post/` or `slots purge "/blog/**"`',
    });
  }
  if (tags.includes('')) {
    throw new SlotsError('USAGE', '"" is not a tag', {
      hint: 'for instance `slots purge --tag posts`',
    });
  }
  const call = withLocal('/api/purge', local);
  const { forgotten } = await callController<{ forgotten: number }>(paths, 'POST', call, {
    paths: which,
    ...(tags.length > 0 && { tags }),
  });
  console.log(`forgot ${forgotten} ${forgotten === 1 ? 'answer' : 'answers'}`);
}
