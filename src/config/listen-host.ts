import { networkInterfaces } from 'node:os';

/**
 * The address to listen on for a `host` of the config: `::` takes IPv4 too, but cannot be had where the kernel knows no IPv6.
 *
 * Not Node's own way, to leave the host out: that falls back to IPv4 as well when somebody else has the port on IPv6.
 */
export function listenHost(host: string, interfaces = networkInterfaces()): string {
  if (host !== '::') return host;
  const addresses = Object.values(interfaces).flat();
  return addresses.some((address) => address?.family === 'IPv6') ? '::' : '0.0.0.0';
}
