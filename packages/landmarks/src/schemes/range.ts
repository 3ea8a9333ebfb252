/** The integers from `from` to `to`, both included. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** Mirror pairs: `first` and `last` change places, then the next ones inward, `count` pairs in all. */
export function inward(first: number, last: number, count: number): [number, number][] {
  return range(0, count - 1).map((i) => [first + i, last - i]);
}
