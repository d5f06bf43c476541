/** What a site of the front and its controller are to each other. */
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { listenOnControlSocket } from '../../src/controller/control-socket.ts';
import { sitePaths } from '../../src/slots/paths.ts';
import { closeLater } from '../support/control-server.ts';
import { frontWorker } from '../support/front-worker.ts';
import { head, rawClient } from '../support/raw-http.ts';
import { testAssignment } from '../support/test-assignment.ts';
import { until } from '../support/until.ts';

/** A site with a request that is open, and a controller that its worker has come to. */
async function busySite() {
  const front = await frontWorker();
  const open: ServerResponse[] = [];
  const config = { name: 'busy', hosts: ['busy.test'] };
  const site = await front.site(config, (_request, response) => void open.push(response));
  const links: Duplex[] = [];
  let said = '';
  const answer = (_request: unknown, response: ServerResponse) => response.end();
  closeLater(
    await listenOnControlSocket(sitePaths(site.root), answer, (socket) => {
      links.push(socket);
      onTestFinished(() => void socket.destroy());
      socket
        .on('error', () => {})
        .on('end', () => socket.end())
        .on('data', (bytes) => {
          said += bytes;
        });
    }),
  );
  await until(() => links.length === 1, 'the worker to come to its controller');
  const client = await rawClient(front.http);
  client.send(head('GET / HTTP/1.1', 'Host: busy.test'));
  await until(() => open.length === 1, 'the request to be at the slot');
  const [link] = links as [Duplex];
  return { front, site, client, link, response: open[0] as ServerResponse, said: () => said };
}

test('a worker that ends goes by its controller until its last visitor has the answer', async () => {
  const { front, client, link, response, said } = await busySite();
  const ended = front.sites.end(10_000);
  const assignment = { ...testAssignment(7), active: 'green' };
  link.write(`${JSON.stringify({ type: 'assignment', assignment })}\n`);
  await until(() => said().includes('{"type":"ack","epoch":7'), 'the flip to be acknowledged');
  expect(said().slice(said().indexOf('"epoch":7'))).toContain('"inflight":{"blue":1,"green":0}');
  response.end('whole');
  expect(await client.until('whole')).toContain('Connection: close');
  await ended;
  await until(() => link.destroyed, 'the worker to leave its controller');
});

test('a site that is taken out leaves its controller at once, for the process may take it up anew', async () => {
  const { site, client, link, response } = await busySite();
  await site.remove();
  await until(() => link.destroyed, 'the worker to leave its controller');
  expect(client.text()).toBe('');
  response.end('whole');
  expect(await client.until('whole')).toContain('200');
});
