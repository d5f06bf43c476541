/** `node flood.mjs <host> <port> <count>`: so many connections with a request each, all open at a time as far as they are let; then ends. */
import { connect } from 'node:net';

const [host, port, count] = process.argv.slice(2);
const HOLD_MS = 1000;
/** At once; more would be the client's own trouble. */
const BATCH = 100;

const open = (number) =>
  new Promise((resolve) => {
    const socket = connect(Number(port), host);
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    const done = () => resolve(number);
    // Answered, or turned away.
    socket.once('data', done).on('error', done).on('close', done);
  });
for (let i = 0; i < Number(count); i += BATCH) {
  await Promise.all(Array.from({ length: Math.min(BATCH, count - i) }, (_, n) => open(i + n)));
}
setTimeout(() => process.exit(), HOLD_MS);
