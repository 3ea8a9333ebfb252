import { Unzlib } from 'fflate';

/** One numeric, logical or character variable of a MATLAB file. */
export interface MatArray {
  /** MATLAB class: double, single, int8 ... uint64, char. Decides what the numbers mean, not how they are stored. */
  readonly class: string;
  /** Rows, columns, ... */
  readonly shape: readonly number[];
  /** Column-major, as MATLAB keeps them. Characters as their codes. */
  readonly data: Float64Array;
}

/** The variables of a MATLAB file. Those of other classes are listed by name, and refused when asked for. */
export interface MatFile {
  readonly variables: ReadonlyMap<string, MatArray>;
  readonly unsupported: ReadonlyMap<string, string>;
}

const CLASSES: Record<number, string> = {
  1: 'cell',
  2: 'struct',
  3: 'object',
  4: 'char',
  5: 'sparse',
  6: 'double',
  7: 'single',
  8: 'int8',
  9: 'uint8',
  10: 'int16',
  11: 'uint16',
  12: 'int32',
  13: 'uint32',
  14: 'int64',
  15: 'uint64',
  16: 'function handle',
  17: 'opaque',
};

type Reader = (view: DataView, at: number, little: boolean) => number;

/** Stored types: bytes per number, and how to read one. Arrays may be stored smaller than their class. */
const STORED: Record<number, readonly [size: number, read: Reader]> = {
  1: [1, (view, at) => view.getInt8(at)],
  2: [1, (view, at) => view.getUint8(at)],
  3: [2, (view, at, little) => view.getInt16(at, little)],
  4: [2, (view, at, little) => view.getUint16(at, little)],
  5: [4, (view, at, little) => view.getInt32(at, little)],
  6: [4, (view, at, little) => view.getUint32(at, little)],
  7: [4, (view, at, little) => view.getFloat32(at, little)],
  9: [8, (view, at, little) => view.getFloat64(at, little)],
  12: [8, (view, at, little) => Number(view.getBigInt64(at, little))],
  13: [8, (view, at, little) => Number(view.getBigUint64(at, little))],
  16: [1, (view, at) => view.getUint8(at)],
  17: [2, (view, at, little) => view.getUint16(at, little)],
  18: [4, (view, at, little) => view.getUint32(at, little)],
};
const MATRIX = 14;
const COMPRESSED = 15;

interface Element {
  readonly type: number;
  readonly body: DataView;
  /** Offset of the next element. */
  readonly next: number;
}

export interface MatOptions {
  /** Limit of the unpacked size of all variables: a small file can hold gigabytes. @default 2 ** 28 */
  maxBytes?: number;
}

export const MAT_DEFAULTS: Required<MatOptions> = { maxBytes: 2 ** 28 };

/**
 * Reads a MATLAB level 5 MAT-file (`save -v6` or `-v7`), compressed or not, of either byte order.
 * @param where what to call the file in errors.
 * @throws Error when it is another format (7.3 is HDF5) or ends early.
 */
export function parseMat(
  bytes: Uint8Array,
  where: string,
  { maxBytes = MAT_DEFAULTS.maxBytes }: MatOptions = {},
): MatFile {
  let room = maxBytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = readByteOrder(bytes, where);
  const variables = new Map<string, MatArray>();
  const unsupported = new Map<string, string>();
  try {
    for (let at = 128; at < bytes.length; ) {
      const element = readElement(view, at, little);
      at = element.next;
      let matrix = element;
      if (element.type === COMPRESSED) {
        const unpacked = inflate(element.body, room);
        room -= unpacked.byteLength;
        matrix = readElement(unpacked, 0, little);
      }
      if (matrix.type !== MATRIX || matrix.body.byteLength === 0) continue;
      const { name, kind, array } = readMatrix(matrix.body, little);
      if (array) variables.set(name, array);
      else unsupported.set(name, kind);
    }
  } catch (error) {
    throw new Error(
      `parseMat: expected a whole MAT-file, got ${(error as Error).message} in ${where} (truncated?)`,
      {
        cause: error,
      },
    );
  }
  return { variables, unsupported };
}

/**
 * One variable, checked.
 * @param shape expected size; -1 stands for any.
 * @throws Error when the variable is absent, of a class that is not read, or of another size.
 */
export function matVariable(mat: MatFile, name: string, where: string, shape?: readonly number[]): MatArray {
  const array = mat.variables.get(name);
  if (!array) {
    const other = mat.unsupported.get(name);
    throw new Error(
      other
        ? `matVariable: ${name} must be a numeric array, got MATLAB class ${other} in ${where} (save it as a matrix)`
        : `matVariable: expected a variable ${name}, got ${[...mat.variables.keys()].join(', ') || 'none'} in ${where}`,
    );
  }
  if (
    shape &&
    (shape.length !== array.shape.length || !shape.every((n, i) => n < 0 || n === array.shape[i]))
  ) {
    throw new Error(
      `matVariable: ${name} must be ${shape.map((n) => (n < 0 ? 'any' : n)).join(' x ')}, got ${array.shape.join(' x ')} in ${where}`,
    );
  }
  return array;
}

function readByteOrder(bytes: Uint8Array, where: string): boolean {
  const header = String.fromCharCode(...bytes.subarray(0, 128));
  if (header.startsWith('MATLAB 7.3') || header.startsWith('\x89HDF')) {
    throw new Error(
      `parseMat: expected MAT-file level 5, got level 7.3 (HDF5) in ${where} (save it with -v7)`,
    );
  }
  const mark = header.slice(126);
  if (bytes.length < 128 || (mark !== 'IM' && mark !== 'MI')) {
    throw new Error(
      `parseMat: expected a MAT-file of level 5, got ${bytes.length} bytes without its header in ${where}`,
    );
  }
  return mark === 'IM';
}

function readElement(view: DataView, at: number, little: boolean): Element {
  const tag = view.getUint32(at, little);
  const small = tag >>> 16;
  const type = small ? tag & 0xffff : tag;
  const length = small || view.getUint32(at + 4, little);
  const start = at + (small ? 4 : 8);
  if (start + length > view.byteLength) {
    throw new Error(`${view.byteLength - start} of ${length} bytes at ${start}`);
  }
  const padded = small ? at + 8 : type === COMPRESSED ? start + length : start + Math.ceil(length / 8) * 8;
  return { type, body: new DataView(view.buffer, view.byteOffset + start, length), next: padded };
}

/** Unpacks piece by piece, so that the limit holds before the memory is taken. */
function inflate(body: DataView, limit: number): DataView {
  const packed = new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  const pieces: Uint8Array[] = [];
  let total = 0;
  const stream = new Unzlib((piece) => {
    total += piece.length;
    if (total > limit)
      throw new Error(`more than ${limit} unpacked bytes (raise maxBytes if the file is trusted)`);
    pieces.push(piece);
  });
  const step = 1 << 16;
  for (let at = 0; at < packed.length; at += step) {
    stream.push(packed.subarray(at, at + step), at + step >= packed.length);
  }
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return new DataView(bytes.buffer);
}

function readMatrix(body: DataView, little: boolean): { name: string; kind: string; array?: MatArray } {
  const flags = readElement(body, 0, little);
  const word = flags.body.getUint32(0, little);
  const kind = CLASSES[word & 0xff] ?? `number ${word & 0xff}`;
  const complex = (word & 0x800) !== 0;
  if (kind === 'opaque') return { name: '(opaque)', kind };
  const dimensions = readElement(body, flags.next, little);
  const nameElement = readElement(body, dimensions.next, little);
  const name = String.fromCharCode(...readNumbers(nameElement, little));
  const code = word & 0xff;
  if (complex) return { name, kind: `complex ${kind}` };
  if (code !== 4 && (code < 6 || code > 15)) return { name, kind };
  const data = readNumbers(readElement(body, nameElement.next, little), little);
  const shape = Array.from(readNumbers(dimensions, little));
  const expected = shape.reduce((product, n) => product * n, 1);
  if (data.length !== expected) throw new Error(`${data.length} of ${expected} numbers of ${name}`);
  return { name, kind, array: { class: kind, shape, data } };
}

function readNumbers({ type, body }: Element, little: boolean): Float64Array {
  const stored = STORED[type];
  if (!stored) throw new Error(`stored type ${type}`);
  const [size, read] = stored;
  return Float64Array.from({ length: body.byteLength / size }, (_, i) => read(body, i * size, little));
}
