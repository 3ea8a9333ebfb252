import fc from 'fast-check';

/** Values that break what was not expected to be broken. */
const NASTY: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1e39,
  1e308,
  0.5,
  2 ** 53,
  '5',
  '',
  '../../x',
  '/etc/passwd',
  'http://10.0.0.1/',
  '__proto__',
  'NaN',
  [],
  [[]],
  {},
  { length: 5 },
  [null],
  'x'.repeat(300),
];
const NUMBERS = ['nan', 'inf', '-1', '1e39', '1e999', '0x10', '', '99999999999999999999', '1,5', '-0'];

/** A JSON text with a few fields replaced or dropped. */
export function jsonInputs(base: unknown): fc.Arbitrary<string> {
  const edit = fc.tuple(fc.nat(), fc.option(fc.constantFrom(...NASTY)));
  return fc.array(edit, { minLength: 1, maxLength: 3 }).map((edits) => {
    const copy = JSON.parse(JSON.stringify(base));
    for (const [at, value] of edits) {
      const places: [Record<string, unknown>, string][] = [];
      const collect = (node: unknown): void => {
        if (typeof node !== 'object' || node === null) return;
        for (const [key, child] of Object.entries(node)) {
          places.push([node as Record<string, unknown>, key]);
          collect(child);
        }
      };
      collect(copy);
      if (places.length === 0) continue;
      const [owner, key] = places[at % places.length];
      if (value === null && at % 2) delete owner[key];
      else owner[key] = structuredClone(value);
    }
    return JSON.stringify(copy).slice(0, edits[0][0] % 7 === 0 ? edits[0][0] % 200 : undefined);
  });
}

/** Bytes with a few set, cut, repeated or inserted. */
export function byteInputs(base: Uint8Array, reach: number = base.length): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({
    kind: fc.constantFrom('set', 'set', 'word', 'cut', 'insert', 'drop'),
    at: fc.nat({ max: Math.max(0, reach - 1) }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
    word: fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x10000, 2 ** 28),
  });
  return fc.array(edit, { minLength: 1, maxLength: 5 }).map((edits) => {
    let bytes = Buffer.from(base);
    for (const { kind, at, bytes: some, word } of edits) {
      if (at >= bytes.length) continue;
      if (kind === 'set') bytes.set(some.subarray(0, bytes.length - at), at);
      else if (kind === 'word' && at + 4 <= bytes.length) bytes.writeUInt32LE(word, at);
      else if (kind === 'cut') bytes = bytes.subarray(0, at);
      else if (kind === 'insert') bytes = Buffer.concat([bytes.subarray(0, at), some, bytes.subarray(at)]);
      else if (kind === 'drop')
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + some.length)]);
    }
    return new Uint8Array(bytes);
  });
}

/** Text with numbers replaced by nasty ones, lines dropped, or bytes changed. */
export function textInputs(base: string): fc.Arbitrary<string> {
  const tokens = base.split(/(\s|,)/);
  const edit = fc.tuple(
    fc.nat({ max: tokens.length - 1 }),
    fc.constantFrom(...NUMBERS, 'x', '\n', '{', '}', '\0'),
  );
  const replaced = fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => {
    const copy = [...tokens];
    for (const [at, value] of edits) copy[at] = value;
    return copy.join('');
  });
  const broken = byteInputs(Buffer.from(base)).map((bytes) => Buffer.from(bytes).toString('latin1'));
  return fc.oneof({ weight: 3, arbitrary: replaced }, { weight: 1, arbitrary: broken });
}

/** Names that lead out of a folder, or nearly. */
const mixedNames: fc.Arbitrary<string> = fc
  .array(
    fc.constantFrom(
      '..',
      '..',
      '..',
      '/',
      '/',
      '\\',
      '.',
      'a',
      'inner',
      'secret.jpg',
      'secret.jpg',
      'a.jpg',
      'c:',
      'http://x/',
      'file://',
      '%2e%2e',
      '%2f',
      ' ',
      '\0',
      '~',
    ),
    { minLength: 1, maxLength: 7 },
  )
  .map((parts) => parts.join(''));

/** Some that stay inside, so that what is refused is refused for its name. */
export const outsideNames: fc.Arbitrary<string> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom('a.jpg', './a.jpg') },
  { weight: 9, arbitrary: mixedNames },
);
