/**
 * Orders dotted version numbers: negative when `a` is older than `b`, positive when newer, 0 when equal.
 * Parts are compared as numbers; text after the number of a part (`0rc1`, `0.post1`) does not count.
 */
export function compareVersions(a: string, b: string): number {
  const left = a.split('.').map((part) => Number.parseInt(part, 10) || 0);
  const right = b.split('.').map((part) => Number.parseInt(part, 10) || 0);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
