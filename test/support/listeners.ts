import { readFile } from 'node:fs/promises';

const LISTEN = '0A';

/** The addresses that a TCP port of this machine is listened on, as `127.0.0.1` or `::1`; by Linux' own tables. */
export async function listenersOf(port: number): Promise<string[]> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  );
  return tables.flatMap((table) =>
    table.split('\n').flatMap((line) => {
      const [, local = '', , state] = line.trim().split(/\s+/);
      const [address = '', hexPort = ''] = local.split(':');
      return state === LISTEN && Number.parseInt(hexPort, 16) === port ? [readable(address)] : [];
    }),
  );
}

/** The kernel prints 32-bit words in the machine's byte order. */
function readable(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  if (bytes.length === 4) return [...bytes.reverse()].join('.');
  if (/^0{24}01000000$/.test(hex)) return '::1';
  return /^0+$/.test(hex) ? '::' : bytes.swap32().toString('hex');
}
