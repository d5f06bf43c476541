import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

type Call = (...args: unknown[]) => unknown;

/**
 * Has a look at the arguments of a function before it is called. A proxy keeps what others hang on it, and how many
 * arguments it takes.
 */
export function observe(target: object, name: string, look: (args: unknown[]) => void): void {
  const functions = target as Record<string, Call | undefined>;
  const original = functions[name];
  if (typeof original !== 'function') return;
  functions[name] = new Proxy(original, {
    apply(call, self, args) {
      look(args);
      return Reflect.apply(call, self, args);
    },
  });
}

/** The absolute path that a function of node:fs is given. A descriptor says nothing of its path; it was seen as it was opened. */
export function pathOf(value: unknown): string | null {
  if (typeof value === 'string') return resolve(value);
  if (value instanceof URL && value.protocol === 'file:') return fileURLToPath(value);
  if (Buffer.isBuffer(value)) return resolve(value.toString());
  return null;
}
