/** TLS and HTTP/2 against a server with a certificate that nobody vouches for. */
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { type CertificateFiles, writeCertificate } from './certificate-files.ts';
import { tempFolder } from './temp-folder.ts';

export type { CertificateFiles };

/** A self-signed certificate and its key, as PEM files in a folder of their own. */
export async function makeCertificate(name = 'localhost'): Promise<CertificateFiles> {
  return writeCertificate(await tempFolder(), name);
}

/** An HTTP/2 connection, until the test has finished. */
export async function http2Session(
  port: number,
  options: SecureClientSessionOptions = {},
): Promise<ClientHttp2Session> {
  const url = `https://localhost:${port}`;
  const session = connect(url, {
    rejectUnauthorized: false,
    host: '127.0.0.1',
    // Or Node gives up on a large body that a test hands over at once.
    maxSessionMemory: 1000,
    ...options,
  });
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
  await once(session, 'connect');
  return session;
}

export interface Http2Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Each informational answer's status and fields. */
  informational: IncomingHttpHeaders[];
  trailers: IncomingHttpHeaders;
  body: Buffer;
  /** 0 when the stream has ended properly. */
  resetBy: number;
}

/** One request, to its end. */
export function http2Request(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  send: (stream: ClientHttp2Stream) => void = (stream) => stream.end(),
): Promise<Http2Answer> {
  return readStream(session.request(headers, { endStream: false }), send);
}

/** A GET without a body, as a browser sends it. */
export function http2Get(
  session: ClientHttp2Session,
  path: string,
  headers: OutgoingHttpHeaders = {},
): Promise<Http2Answer> {
  return readStream(session.request({ ':path': path, ...headers }, { endStream: true }));
}

function readStream(
  stream: ClientHttp2Stream,
  send: (stream: ClientHttp2Stream) => void = () => {},
): Promise<Http2Answer> {
  const chunks: Buffer[] = [];
  const answer: Http2Answer = {
    status: 0,
    headers: {},
    informational: [],
    trailers: {},
    body: Buffer.alloc(0),
    resetBy: 0,
  };
  stream.on('headers', (headers) => answer.informational.push(headers));
  stream.on('response', (headers) => {
    answer.headers = headers;
    answer.status = headers[':status'] as number;
  });
  stream.on('trailers', (trailers) => {
    answer.trailers = trailers;
  });
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('error', () => {});
  const closed = new Promise<Http2Answer>((resolve) => {
    stream.on('close', () => {
      resolve({ ...answer, body: Buffer.concat(chunks), resetBy: stream.rstCode ?? 0 });
    });
  });
  send(stream);
  return closed;
}

/** A TLS connection, until the test has finished. */
export async function tlsSocket(port: number, protocols = ['http/1.1']): Promise<TLSSocket> {
  const options = { host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: protocols };
  const socket = connectTls(options);
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}
