/**
 * `node fresh-visitors.ts <origin> <per second>`: so many visitors a second, each with one request on a connection of its own,
 * from whichever network namespace this runs in. Says how many milliseconds one handshake takes, and, once its input ends, what
 * the load has seen.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { startLoad } from '../support/load.ts';

const [origin = '', perSecond] = process.argv.slice(2);
const { hostname, port } = new URL(origin);

const begun = performance.now();
const socket = connect(Number(port), hostname);
await once(socket, 'connect');
console.log(performance.now() - begun);
socket.destroy();

const load = startLoad(origin, { freshPerSecond: Number(perSecond) });
process.stdin.resume();
await once(process.stdin, 'end');
console.log(JSON.stringify(await load.stop()));
