/** Which site a host belongs to: the exact name, then the longest wildcard. Pure. */
export interface HostTable<T> {
  /** @param host in lower case, without a port (`hostOf`) */
  find(host: string): T | undefined;
}

export interface Hosted<T> {
  hosts: readonly string[];
  value: T;
}

/** `*.example.com` stands for every name below example.com, however deep, and not for example.com itself. */
export function createHostTable<T>(sites: Iterable<Hosted<T>>): HostTable<T> {
  const exact = new Map<string, T>();
  /** By what comes behind the star, with its dot. */
  const below = new Map<string, T>();
  for (const { hosts, value } of sites) {
    for (const host of hosts) {
      if (host.startsWith('*.')) below.set(host.slice(1), value);
      else exact.set(host, value);
    }
  }
  return {
    find(host) {
      const found = exact.get(host);
      if (found !== undefined || below.size === 0) return found;
      // From the first dot on: the longest suffix comes first.
      for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
        const wildcard = below.get(host.slice(dot));
        if (wildcard !== undefined) return wildcard;
      }
      return undefined;
    },
  };
}
