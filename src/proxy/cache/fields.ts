/** Looking into a message's fields, which are kept as pairs of name and value. Pure. */

/**
 * The value of a field: all lines of that name, joined by commas (RFC 9110 §5.3).
 *
 * @param fields name and value in turn
 * @param name lower-case
 */
export function fieldValue(fields: readonly string[], name: string): string | undefined {
  let value: string | undefined;
  for (let i = 0; i < fields.length; i += 2) {
    if (!isNamed(fields[i] as string, name)) continue;
    const line = fields[i + 1] as string;
    value = value === undefined ? line : `${value}, ${line}`;
  }
  return value;
}

/** Of fields that may be there once only, the first line counts. */
export function firstValue(fields: readonly string[], name: string): string | undefined {
  for (let i = 0; i < fields.length; i += 2) {
    if (isNamed(fields[i] as string, name)) return fields[i + 1] as string;
  }
  return undefined;
}

export function hasField(fields: readonly string[], name: string): boolean {
  return firstValue(fields, name) !== undefined;
}

/** The same fields without those of these names, lower-case. */
export function withoutFields(fields: readonly string[], names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    if (!names.has(name.toLowerCase())) kept.push(name, fields[i + 1] as string);
  }
  return kept;
}

function isNamed(name: string, lower: string): boolean {
  return name.length === lower.length && (name === lower || name.toLowerCase() === lower);
}
