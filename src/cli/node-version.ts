/**
 * What is wrong with this Node, or `null`. Imports nothing, so that a Node that is too old for the rest can run it.
 *
 * @param version for instance `20.20.2`
 * @param wanted package.json's `engines.node`, for instance `>=22.22`
 */
export function objectionToNode(version: string, wanted: string): string | null {
  const [major = 0, minor = 0] = numbers(version);
  const [leastMajor = 0, leastMinor = 0] = numbers(wanted);
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return null;
  return `slots needs Node ${leastMajor}.${leastMinor} or later, and this is Node ${version} (${process.execPath})`;
}

function numbers(version: string): number[] {
  return (version.match(/\d+/g) ?? []).map(Number);
}
