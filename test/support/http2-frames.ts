/** HTTP/2 as frames on a socket (RFC 9113 §4): what a client library would not send. */
import type { TLSSocket } from 'node:tls';
import { type Wire, watch } from './raw-http.ts';
import { tlsSocket } from './tls.ts';

export const TYPE = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7 } as const;
export const END_STREAM = 1;
export const END_HEADERS = 4;
const ACK = 1;

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

export interface Frame {
  type: number;
  flags: number;
  stream: number;
  payload: Buffer;
}

export interface FrameClient extends Wire {
  frame(type: number, flags: number, stream: number, payload?: Buffer): void;
  /** What has come so far, whole frames only. */
  frames(): Frame[];
}

/** A connection on which the settings have been exchanged. */
export async function frameClient(port: number): Promise<FrameClient> {
  const socket: TLSSocket = await tlsSocket(port, ['h2']);
  const wire = watch(socket);
  const frame: FrameClient['frame'] = (type, flags, stream, payload = Buffer.alloc(0)) => {
    if (socket.writable) socket.write(encode(type, flags, stream, payload));
  };
  const frames = () => decode(Buffer.from(wire.text(), 'latin1'));
  wire.send(PREFACE);
  frame(TYPE.settings, 0, 0);
  await wire.until(() => frames().some(({ type, flags }) => type === TYPE.settings && flags === 0));
  frame(TYPE.settings, ACK, 0);
  return { ...wire, frame, frames };
}

/** A request's fields in HPACK (RFC 7541), from its static table: nothing in it has a state. */
export function fieldBlock(method: 'GET' | 'POST', extra: [string, string][] = []): Buffer {
  const block = [
    Buffer.from([method === 'GET' ? 0x82 : 0x83, 0x87, 0x84, 0x01]),
    text('localhost'),
    ...extra.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]),
  ];
  return Buffer.concat(block);
}

/** A string without Huffman coding; of up to 126 bytes, which is all that is needed. */
function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')]);
}

function encode(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function decode(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at + 9 <= bytes.length; ) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    frames.push({
      type: bytes[at + 3] as number,
      flags: bytes[at + 4] as number,
      stream: bytes.readUInt32BE(at + 5) & 0x7fffffff,
      payload: bytes.subarray(at + 9, end),
    });
    at = end;
  }
  return frames;
}
