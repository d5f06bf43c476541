/** The oldest Node that slots and its parts run on. This file imports nothing: an older one has to load it. */
const MIN_NODE = [22, 22] as const;

export const MIN_NODE_TEXT = MIN_NODE.join('.');

/** @param version as Node prints it, for instance `v24.1.0` */
export function isNodeNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.replace('v', '').split('.').map(Number);
  return major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
}
