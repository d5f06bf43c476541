/** What is wrong with a config file, in one line for each fault. */
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/**
 * Key, value and expectation, for instance `ports.proxy: 0 (expected number to be >=1)`.
 *
 * @param isSecret of which key the value is not shown
 */
export function describeIssue(
  issue: Issue,
  isSecret: (key: string, value: unknown) => boolean = () => false,
): string {
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => [...issue.path, key].join('.'));
    return `${keys.join(', ')}: no such key`;
  }
  const inner = issueOfMember(issue);
  if (inner) return describeIssue(inner, isSecret);
  const key = issue.path.join('.') || 'the config';
  const value = isSecret(key, issue.input) ? '[hidden]' : show(issue.input);
  return `${key}: ${value} (${expectation(issue)})`;
}

/** Of a union, one member has the value's type: what is wrong inside it is what a person has to mend. */
function issueOfMember(issue: Issue): Issue | null {
  if (issue.code !== 'invalid_union') return null;
  const inside = issue.errors.filter((member) => member.every(isInside));
  const [first] = inside.length === 1 ? (inside[0] ?? []) : [];
  return first ? { ...first, path: [...issue.path, ...first.path] } : null;
}

function isInside({ code, path }: Issue): boolean {
  return code === 'unrecognized_keys' || path.length > 0;
}

function expectation(issue: Issue): string {
  // A union that has a message of its own says it.
  if (issue.code === 'invalid_union' && issue.message === 'Invalid input') {
    const wanted = issue.errors.flatMap(([first]) => (first ? [expectation(first)] : []));
    const types = wanted.map((text) => text.replace(/^expected |, received .*$/g, ''));
    return `expected ${types.join(' or ')}`;
  }
  if (issue.code === 'invalid_key' && issue.issues[0]) return expectation(issue.issues[0]);
  return issue.message.replace(/^Invalid input: /, '');
}

/** JSON, and what JSON does not know (`NaN`, a bigint, a function) as JavaScript has it. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  const isJson = typeof value === 'object' || typeof value === 'string';
  return isJson ? JSON.stringify(value) : String(value);
}
