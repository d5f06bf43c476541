/** The plain site's entry: serves its release, or misbehaves as its release's behaviour.json says. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { answer } from './answer.mjs';
import { upgrade } from './live.mjs';

const behaviour = JSON.parse(readFileSync(new URL('behaviour.json', import.meta.url), 'utf8'));
const { HOST, PORT, NODE_APP_INSTANCE = '0' } = process.env;

if (behaviour.crashAtStart || process.env.CRASH_AT_START) throw new Error('told to crash at start');
// For a machine on which a release fails that is well elsewhere.
const { CRASH_ON } = process.env;
const page = readFileSync(new URL('page.txt', import.meta.url), 'utf8');
if (CRASH_ON && page.includes(CRASH_ON)) throw new Error(`told to crash on "${CRASH_ON}"`);
if (behaviour.ignoreSigint) process.on('SIGINT', () => {});
if (behaviour.exitAfterMs !== undefined) setTimeout(() => process.exit(1), behaviour.exitAfterMs);

const isSilent =
  behaviour.neverListen || (behaviour.listenOnOneInstanceOnly && NODE_APP_INSTANCE !== '0');

if (isSilent) setInterval(() => {}, 1000);
else
  createServer(handle)
    .on('upgrade', upgrade)
    .listen(behaviour.port ?? Number(PORT), HOST);

function handle(request, response) {
  if (behaviour.hang) return;
  if (behaviour.status) {
    response.writeHead(behaviour.status).end('told to answer so\n');
    return;
  }
  answer(request, response).catch((error) => {
    console.error(error);
    response.destroy();
  });
}
