/** What holds of a tab on a page of any framework. */
import { test } from 'vitest';
import type { UserConfig } from '../../src/config/schema.ts';
import { bringUp } from './framework-site.ts';
import type { Site } from './site.ts';
import { expectTabMisses, expectTabOutlives, TWENTY_BUILDS_MS, testBrowser } from './tab.ts';

/**
 * @param page in the tests' names, for instance `a Nuxt page`
 * @param site makes one whose front page `expectTabOutlives` can use; it is not up yet
 * @param folder of `lazyFiles`
 */
export function testTabs(
  page: string,
  site: (config?: UserConfig) => Promise<Site>,
  folder: string,
): void {
  test(
    `a tab on ${page} that was opened twenty releases ago loads the lazy files of its own`,
    async ({ skip }) => {
      const browser = await testBrowser(skip);
      const up = await site();
      await bringUp(up);
      await expectTabOutlives(browser, up, folder);
    },
    TWENTY_BUILDS_MS,
  );

  test(`a tab on ${page} misses its lazy files after one release with skew off`, async ({
    skip,
  }) => {
    const browser = await testBrowser(skip);
    const up = await site({ skew: false });
    await bringUp(up);
    await expectTabMisses(browser, up, folder);
  });
}
