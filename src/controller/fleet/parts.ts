/**
 * Bytes in the object store, cut into parts: an object is read without backpressure by its client, and a connection that breaks
 * leaves its reader waiting (@nats-io/obj 3.4, ObjectStoreImpl.get), so no object is larger than what fits into memory.
 */
import type { ObjectStore } from '@nats-io/obj';

const PART_BYTES = 4 * 1024 * 1024;
/** For one part, on a slow line, in milliseconds. */
const PART_TIMEOUT_MS = 60_000;

/** @returns how many parts there are */
export async function putParts(
  objects: ObjectStore,
  name: string,
  stream: AsyncIterable<Uint8Array>,
): Promise<number> {
  let parts = 0;
  for await (const part of inParts(stream)) {
    await objects.putBlob({ name: partName(name, parts++) }, part);
  }
  return parts;
}

/** @throws Error when a part is missing or does not come in time */
export async function* getParts(
  objects: ObjectStore,
  name: string,
  parts: number,
): AsyncGenerator<Uint8Array> {
  for (let part = 0; part < parts; part++) {
    const bytes = await getBlob(objects, partName(name, part));
    if (bytes === null) throw new Error(`part ${part + 1} of ${parts} of ${name} is missing`);
    yield bytes;
  }
}

/** @throws Error when it does not come in time */
export async function getBlob(objects: ObjectStore, name: string): Promise<Uint8Array | null> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = () => reject(new Error(`${name} did not come within ${PART_TIMEOUT_MS} ms`));
  const timer = setTimeout(late, PART_TIMEOUT_MS);
  try {
    return await Promise.race([objects.getBlob(name), promise]);
  } finally {
    clearTimeout(timer);
  }
}

export function partName(name: string, part: number): string {
  return `${name}.${part}`;
}

async function* inParts(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    held.push(chunk);
    size += chunk.length;
    if (size < PART_BYTES) continue;
    yield Buffer.concat(held);
    held = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(held);
}
