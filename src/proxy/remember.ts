/**
 * Remembers what a function says of short texts, names of fields for instance: mostly a few dozen, in the ways they are written,
 * and finding out anew shows in a profile. What visitors make up must neither fill memory nor stay.
 *
 * @param most of them; then all are forgotten
 * @param longest that is remembered, in characters
 */
export function rememberSome<T extends NonNullable<unknown> | null>(
  find: (text: string) => T,
  most = 500,
  longest = 64,
): (text: string) => T {
  const remembered = new Map<string, T>();
  return (text) => {
    const known = remembered.get(text);
    if (known !== undefined) return known;
    const found = find(text);
    if (text.length > longest) return found;
    if (remembered.size >= most) remembered.clear();
    remembered.set(text, found);
    return found;
  };
}
