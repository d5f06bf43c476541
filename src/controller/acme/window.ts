import { renewalInfoDelay } from './decide.ts';
import type { Held, KeeperParts } from './parts.ts';
import type { HostRecord } from './state.ts';

/** Asks the CA when it wants the certificate to be renewed, if that is due. */
export async function askWindow(
  parts: KeeperParts,
  host: string,
  held: Held | null,
): Promise<void> {
  const { store, acme } = parts;
  const record: HostRecord = store.host(host);
  if (!held || record.directory === null) return;
  const { serial } = held.facts;
  const now = Date.now();
  if (record.window?.serial === serial && record.window.nextLookAt > now) return;
  const { openCa, createKey, renewalId } = await parts.loadCa();
  const id = renewalId(held.pem);
  const known = record.window?.serial === serial ? record.window : { start: null, end: null };
  const window = { ...known, serial, nextLookAt: now + renewalInfoDelay(null) };
  // Before the question: a CA that does not answer is not asked each minute.
  await store.setHost(host, { ...record, window });
  if (id === null) return;
  const { key } = await store.accountKey(record.directory, createKey);
  const info = await openCa(record.directory ?? acme.directory, { key, url: null }).renewalInfo(id);
  if (!info) return;
  const { start, end, retryAfterMs } = info;
  const nextLookAt = now + renewalInfoDelay(retryAfterMs);
  await store.setHost(host, { ...store.host(host), window: { serial, start, end, nextLookAt } });
}
