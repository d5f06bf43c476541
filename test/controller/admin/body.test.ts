import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { readBody } from '../../../src/controller/admin/body.ts';
import { toErrorAnswer } from '../../../src/controller/admin/error-answer.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const MOST_BYTES = 1000;

/** A server on a socket file, like the control socket, that says how long the body was. */
async function startServer(): Promise<string> {
  const path = join(await tempFolder(), 'http.sock');
  const server = createServer((request, response) => {
    readBody(request, MOST_BYTES).then(
      (body) => response.end(JSON.stringify({ bytes: body.length })),
      (error) => response.writeHead(toErrorAnswer(error).status).end(),
    );
  }).listen(path);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return path;
}

test.each([
  ['a body that is just small enough', MOST_BYTES, /^HTTP\/1\.1 200 .*"bytes":1000/s],
  ['one that is too large', MOST_BYTES + 1, /^HTTP\/1\.1 413 /],
  ['one of which the socket cannot hold the rest', 8 << 20, /^HTTP\/1\.1 413 /],
])(
  '%s is answered, even to a client that sends all before it reads',
  async (_what, bytes, answer) => {
    const socket = connect(await startServer());
    const lines = ['POST / HTTP/1.1', 'Host: a', 'Connection: close', `Content-Length: ${bytes}`];
    socket.pause();
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    await new Promise<void>((resolve, reject) => {
      socket.write(Buffer.alloc(bytes), (error) => (error ? reject(error) : resolve()));
    });
    expect(await text(socket)).toMatch(answer);
  },
);
