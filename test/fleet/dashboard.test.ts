import { expect, test } from 'vitest';
import { openDashboard, overflowOf } from '../support/browser.ts';
import { machine, startAll } from '../support/fleet.ts';
import { natsServer } from '../support/nats.ts';
import { lacking, skipFor } from '../support/needs.ts';
import { testBrowser } from '../support/tab.ts';

test('the dashboard of a machine shows those of its fleet, what each serves and which are not ready', async ({
  skip,
}) => {
  skipFor(skip, lacking('nats-server'));
  const browser = await testBrowser(skip);
  const nats = await natsServer();
  const [web1, web2] = [await machine('web1', nats.url), await machine('web2', nats.url)];
  await startAll([web1, web2]);
  const { page, complaints } = await openDashboard(browser, web1);
  const row = (id: string) => page.locator(`#fleet [data-machine="${id}"]`);
  for (const id of ['web1', 'web2']) await row(id).and(page.locator('[data-ready=true]')).waitFor();
  const { release } = await web1.get();
  expect(await row('web2').locator('.release').textContent()).toBe(release);
  expect(await row('web1').textContent()).toContain('this one');
  await web2.slots('down');
  await row('web2').and(page.locator('[data-ready=false]')).waitFor();
  expect(await row('web2').locator('.reason').textContent()).not.toBe('');
  if (process.env.PICTURE) await page.screenshot({ path: process.env.PICTURE, fullPage: true });
  await page.setViewportSize({ width: 360, height: 800 });
  expect(await overflowOf(page)).toBeLessThanOrEqual(0);
  expect(complaints).toEqual([]);
});
