import { open } from 'node:fs/promises';

/** A file in a tar. */
export interface TarMember {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/**
 * The files of a tar (ustar, GNU and pax), in order, by their headers alone.
 * @throws Error when a header is damaged, a file lies beyond the end, or the end mark is missing.
 */
export async function* readTar(file: string, maxBytes: number): AsyncGenerator<TarMember> {
  const handle = await open(file, 'r');
  try {
    const { size: end } = await handle.stat();
    const read = async (offset: number, length: number): Promise<Buffer> => {
      const bytes = Buffer.alloc(length);
      const { bytesRead } = await handle.read(bytes, 0, length, offset);
      return bytes.subarray(0, bytesRead);
    };
    const refuse = (rule: string, got: string): never => {
      throw new Error(`openWebDataset: ${rule}, got ${got} in ${file}`);
    };
    let [at, further]: [number, { path?: string; size?: number }] = [0, {}];
    const shared: { path?: string; size?: number } = {};
    for (;;) {
      const header = await read(at, BLOCK);
      if (header.length < BLOCK)
        refuse('a whole tar ends with an empty block', `its end at byte ${at} (copy it again)`);
      if (header.every((byte) => byte === 0)) return;
      if (at === 0 && header[0] === 0x1f && header[1] === 0x8b) {
        refuse('expected a tar that is not packed', 'gzip (unpack it: gunzip)');
      }
      checkHeader(header, at, refuse);
      const type = String.fromCharCode(header[156] || 48);
      const size = further.size ?? shared.size ?? numberOf(header.subarray(124, 136));
      const isName = type === 'L' || type === 'x' || type === 'g' || type === 'K';
      const limit = isName ? MAX_HEADER : maxBytes;
      const offset = at + BLOCK;
      const name = further.path ?? shared.path ?? nameOf(header);
      if (!Number.isSafeInteger(size) || size < 0)
        refuse('expected the size of a file', `${size} for ${name}`);
      if (size > limit) {
        refuse(
          `a file of a sample takes at most ${limit} bytes`,
          `${size} for ${name} (raise maxBytes if the set is trusted)`,
        );
      }
      if (offset + size > end) {
        refuse(`${name} must lie within the tar`, `${end - offset} of its ${size} bytes (copy it again)`);
      }
      at = offset + Math.ceil(size / BLOCK) * BLOCK;
      if (isName) {
        const text = (await read(offset, size)).toString('utf8');
        if (type === 'L') further.path = text.replace(/\0[\s\S]*$/, '');
        else if (type === 'x') Object.assign(further, parsePax(text));
        else if (type === 'g') Object.assign(shared, parsePax(text));
        continue;
      }
      further = {};
      if (type === '0' || type === '7') yield { name: name.replace(/^(\.\/)+/, ''), offset, size };
    }
  } finally {
    await handle.close();
  }
}

const BLOCK = 512;
/** Bytes of a long name or of further headers. */
const MAX_HEADER = 2 ** 20;

function checkHeader(header: Buffer, at: number, refuse: (rule: string, got: string) => never): void {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : header[i];
  if (numberOf(header.subarray(148, 156)) !== sum) {
    refuse('expected a header with its checksum', `other bytes at ${at} (no tar, or damaged)`);
  }
}

/** A header's number: octal, or of 256 where the first bit is set. */
function numberOf(field: Buffer): number {
  if (field[0] & 0x80) {
    return field.reduce((value, byte, i) => value * 256 + (i === 0 ? byte & 0x7f : byte), 0);
  }
  const text = field
    .toString('latin1')
    .replace(/\0[\s\S]*$/, '')
    .trim();
  return text === '' ? 0 : /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
}

function nameOf(header: Buffer): string {
  const textAt = (from: number, to: number): string =>
    header
      .subarray(from, to)
      .toString('utf8')
      .replace(/\0[\s\S]*$/, '');
  const prefix = header.toString('latin1', 257, 262) === 'ustar' && header[262] === 0 ? textAt(345, 500) : '';
  return (prefix === '' ? '' : `${prefix}/`) + textAt(0, 100);
}

/** `LENGTH KEY=VALUE` records; lengths count bytes. */
function parsePax(text: string): { path?: string; size?: number } {
  const bytes = Buffer.from(text, 'utf8');
  const found: { path?: string; size?: number } = {};
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(32, at);
    const length = Number(bytes.toString('latin1', at, blank));
    if (blank < 0 || !(Number.isInteger(length) && length > 0)) break;
    const [key, ...value] = bytes.toString('utf8', blank + 1, at + length - 1).split('=');
    if (key === 'path') found.path = value.join('=');
    if (key === 'size') found.size = Number(value.join('='));
    at += length;
  }
  return found;
}

/** Whether a path means tar files: by its ending, with or without braces. */
export function isTarPath(target: string): boolean {
  return /\.tar$/i.test(target);
}

/** Paths that one with ranges in braces stands for: `a-{00..02}.tar` and `{a,b}-0.tar`. */
export function expandBraces(text: string): string[] {
  const found = /\{(\d+)\.\.(\d+)\}|\{([^{}]*,[^{}]*)\}/.exec(text);
  if (!found) return [text];
  const [whole, from, to, list] = found;
  const count = list === undefined ? Math.abs(Number(to) - Number(from)) + 1 : 0;
  if (count > 1e6) throw new RangeError(`openWebDataset: expected at most a million shards, got ${text}`);
  const step = Number(to) < Number(from) ? -1 : 1;
  const values =
    list?.split(',') ??
    Array.from({ length: count }, (_, i) => String(Number(from) + step * i).padStart(from.length, '0'));
  const [before, after] = [text.slice(0, found.index), text.slice(found.index + whole.length)];
  return values.flatMap((value) => expandBraces(before + value + after));
}
