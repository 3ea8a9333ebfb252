import fc from 'fast-check';

/** A format: damaged inputs, and what reads them. `read` throws on what it refuses and checks what it accepts. */
export interface Reader {
  readonly name: string;
  /** Share of the runs. */
  readonly weight: number;
  readonly inputs: fc.Arbitrary<string | Uint8Array>;
  read(input: never): unknown;
}

/** Runs damaged inputs through a reader. @returns what went wrong: an engine's message, garbage accepted, or too slow. */
export async function fuzzReader(
  reader: Reader,
  runs: number,
  seed: number,
): Promise<{ accepted: number; refused: number; slowestMs: number; faults: Map<string, number> }> {
  const faults = new Map<string, number>();
  let [accepted, refused, slowestMs] = [0, 0, 0];
  for (const input of fc.sample(reader.inputs, { numRuns: runs, seed })) {
    const start = performance.now();
    try {
      await reader.read(input as never);
      accepted += 1;
    } catch (error) {
      refused += 1;
      const { message = String(error) } = error as Error;
      const isFault =
        error instanceof Accepted ||
        !(error instanceof Error) ||
        (ENGINE.test(message) && !HOUSE.test(message));
      const key = `${error instanceof Accepted ? 'accepted: ' : ''}${message.replace(/\d+/g, 'N').slice(0, 140)}`;
      if (isFault) faults.set(key, (faults.get(key) ?? 0) + 1);
    }
    const took = performance.now() - start;
    slowestMs = Math.max(slowestMs, took);
    if (took > 10_000) faults.set('took more than 10 s', (faults.get('took more than 10 s') ?? 0) + 1);
  }
  return { accepted, refused, slowestMs, faults };
}

/** Messages of the engine, which say nothing to a user. */
const ENGINE =
  /Cannot (read|set|destructure|convert)|is not (a function|iterable|a constructor)|Invalid (array|typed array|string) length|Maximum call stack|Offset is outside|out of bounds/;

/** The house's own form: which function, and what it expected. */
const HOUSE = /^[a-z]\w+: (expected|.* must )/;

/** @throws Accepted unless it holds. */
export function must(holds: boolean, what: string): void {
  if (!holds) throw new Accepted(what);
}

/** Garbage that a reader has taken: the one error of `read` that is a fault. */
export class Accepted extends Error {
  override readonly name = 'Accepted';
}
