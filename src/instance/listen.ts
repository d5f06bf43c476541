import { Server } from 'node:net';

const LOOPBACK = '127.0.0.1';

interface Asked {
  /** `null` for a Unix socket or a file descriptor. */
  port: number | null;
  options: Record<string, unknown>;
  callback: unknown;
}

/**
 * Makes each server of this process that listens on the slot's port do so on the loopback address, whatever host the site
 * asks for: many sites ignore `HOST`, and the slot's port would be open to everybody, past the proxy.
 * Servers on other ports are the site's own affair.
 */
export function listenOnLoopback(port: number): void {
  const { listen } = Server.prototype;
  Server.prototype.listen = function (this: Server, ...args: unknown[]) {
    const asked = readArguments(args);
    if (asked.port !== port) return Reflect.apply(listen, this, args);
    const options = { ...asked.options, port, host: LOOPBACK, ipv6Only: false };
    return Reflect.apply(listen, this, asked.callback ? [options, asked.callback] : [options]);
  } as typeof listen;
}

/** What `listen(port, host, backlog, callback)`, `listen({ port, … }, callback)` and their kin ask for. */
function readArguments(args: unknown[]): Asked {
  const last = args.at(-1);
  const callback = typeof last === 'function' ? last : null;
  const [first, second, third] = args;
  if (typeof first === 'object' && first !== null) {
    const { path, port, fd, ...options } = first as Record<string, unknown>;
    const isTcp = path === undefined && fd === undefined && port !== undefined;
    return { port: isTcp ? Number(port) : null, options, callback };
  }
  const isPort = typeof first === 'number' || /^\d+$/.test(String(first));
  const backlog = [second, third].find((value) => typeof value === 'number');
  const options = backlog === undefined ? {} : { backlog };
  return { port: isPort ? Number(first) : null, options, callback };
}
