import { joinBytes } from '../weights/encode-network.ts';
import { type PersistentReference, type PickledCall, type PickleRules, readPickle } from './read-pickle.ts';

/** A tensor of a PyTorch checkpoint, in PyTorch's layout. */
export interface CheckpointTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Bytes per element and how to read one; by PyTorch storage type. */
const STORAGES: Record<string, [bytes: number, read: (view: DataView, at: number) => number]> = {
  FloatStorage: [4, (view, at) => view.getFloat32(at, true)],
  DoubleStorage: [8, (view, at) => view.getFloat64(at, true)],
  LongStorage: [8, (view, at) => Number(view.getBigInt64(at, true))],
  IntStorage: [4, (view, at) => view.getInt32(at, true)],
  ByteStorage: [1, (view, at) => view.getUint8(at)],
};

const REBUILD = new Set(['torch._utils._rebuild_tensor', 'torch._utils._rebuild_tensor_v2']);
const ALLOWED = new Set([
  ...REBUILD,
  'torch._utils._rebuild_parameter',
  'collections.OrderedDict',
  ...Object.keys(STORAGES).map((name) => `torch.${name}`),
]);

/** A storage whose bytes may come after the pickle. */
class Storage {
  bytes: Uint8Array | undefined;
  constructor(
    readonly type: string,
    readonly key: string,
    readonly count: number,
  ) {}
}

/** A strided view of a storage. */
class View {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

const LEGACY_MAGIC = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/** Options of `readCheckpoint`. */
export interface ReadCheckpointOptions {
  /**
   * Bytes that the file may unpack to, and its tensors may take.
   * @default 5e8
   */
  maxBytes?: number;
}

/** Enough for every network of this field. */
export const READ_CHECKPOINT_DEFAULTS: Required<ReadCheckpointOptions> = { maxBytes: 5e8 };

/**
 * Reads a checkpoint that `torch.save` wrote, in its zip or its legacy format. Only containers, numbers, strings
 * and dense tensors are read; anything else is refused by name (`readPickle`), and nothing is executed.
 * @returns nested maps and arrays with `CheckpointTensor` leaves.
 * @throws Error naming what is refused, damaged or too large.
 */
export async function readCheckpoint(
  bytes: Uint8Array,
  options: ReadCheckpointOptions = {},
): Promise<unknown> {
  const maxBytes = options.maxBytes ?? READ_CHECKPOINT_DEFAULTS.maxBytes;
  try {
    if (bytes[0] === 0x50 && bytes[1] === 0x4b) {
      return createResolver(maxBytes)(await readZipped(bytes, maxBytes));
    }
    if (LEGACY_MAGIC.every((value, i) => bytes[i + 2] === value)) {
      return createResolver(maxBytes)(readLegacy(bytes));
    }
  } catch (error) {
    const { message } = error as Error;
    if (/^read(Checkpoint|Pickle|Zip): /.test(message)) throw error;
    throw new Error(
      `readCheckpoint: expected a whole file of torch.save, got one whose reading ends with "${message}"`,
      {
        cause: error,
      },
    );
  }
  throw new Error('readCheckpoint: expected a file of torch.save (zip or legacy format), got other bytes');
}

async function readZipped(bytes: Uint8Array, maxBytes: number): Promise<unknown> {
  const files = await readZip(bytes, maxBytes);
  const pickle = [...files.keys()].find((name) => name.endsWith('/data.pkl'));
  if (pickle === undefined) throw new Error('readCheckpoint: the archive holds no data.pkl');
  const root = pickle.slice(0, -'data.pkl'.length);
  const order = files.get(`${root}byteorder`);
  if (order !== undefined && new TextDecoder().decode(order) !== 'little') {
    throw new Error('readCheckpoint: expected little-endian data');
  }
  const storages = new Map<string, Storage>();
  const { value } = readPickle(files.get(pickle)!, 0, rulesFor(storages));
  for (const storage of storages.values()) storage.bytes = files.get(`${root}data/${storage.key}`);
  return value;
}

/** Magic number, protocol, system notes, the object, the storage keys, then count and bytes of each storage. */
function readLegacy(bytes: Uint8Array): unknown {
  const storages = new Map<string, Storage>();
  const rules = rulesFor(storages);
  let at = 0;
  const next = (): unknown => {
    const { value, end } = readPickle(bytes, at, rules);
    at = end;
    return value;
  };
  for (let i = 0; i < 3; i++) next();
  const value = next();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const keys = next();
  if (!Array.isArray(keys)) throw new Error('readCheckpoint: expected the list of storages after the object');
  for (const key of keys as string[]) {
    const storage = storages.get(key);
    if (storage === undefined) throw new Error(`readCheckpoint: storage ${key} belongs to no tensor`);
    if (at + 8 > bytes.length) throw new Error(`readCheckpoint: the file ends before storage ${key}`);
    const size = Number(view.getBigInt64(at, true)) * STORAGES[storage.type][0];
    if (!(size >= 0 && at + 8 + size <= bytes.length)) {
      throw new Error(
        `readCheckpoint: storage ${key} must lie in the file, got ${size} bytes (is it cut off?)`,
      );
    }
    storage.bytes = bytes.subarray(at + 8, at + 8 + size);
    at += 8 + size;
  }
  return value;
}

function rulesFor(storages: Map<string, Storage>): PickleRules {
  return {
    allowed: ALLOWED,
    load: ({ persistent }: PersistentReference) => {
      if (!Array.isArray(persistent)) throw new Error('readCheckpoint: refuses a reference to no storage');
      const [kind, type, key, , count] = persistent as [string, { name: string }, string, string, number];
      const name = type?.name?.replace('torch.', '');
      if (!Number.isSafeInteger(count) || count < 0) {
        throw new Error(`readCheckpoint: storage ${key} must say its values, got ${String(count)}`);
      }
      if (kind !== 'storage' || !Object.hasOwn(STORAGES, name)) {
        throw new Error(`readCheckpoint: refuses the reference ${kind} of ${type?.name}`);
      }
      const storage = storages.get(key) ?? new Storage(name, key, count);
      storages.set(key, storage);
      return storage;
    },
    call: ({ callable, args }: PickledCall) => {
      if (REBUILD.has(callable)) {
        const [storage, offset, shape, strides] = args as [Storage, number, number[], number[]];
        const isSize = (v: unknown): boolean => Number.isSafeInteger(v) && (v as number) >= 0;
        const fine =
          storage instanceof Storage &&
          isSize(offset) &&
          [shape, strides].every((list) => Array.isArray(list) && list.every(isSize)) &&
          shape.length === strides.length;
        if (!fine) throw new Error('readCheckpoint: a tensor must be a view of a storage, got another one');
        return new View(storage, offset, shape, strides);
      }
      if (callable === 'torch._utils._rebuild_parameter') return args[0];
      if (callable === 'collections.OrderedDict') {
        const items = args[0] ?? [];
        if (Array.isArray(items) && items.every(Array.isArray)) return new Map(items as [unknown, unknown][]);
        throw new Error('readCheckpoint: an ordered dictionary must be made of pairs');
      }
      throw new Error(`readCheckpoint: refuses to call ${callable}`);
    },
  };
}

/** Lists in lists, at most. */
const DEEPEST = 100;

/** Replaces views by their values; what the file shares stays shared, so that a small file stays small. */
function createResolver(maxBytes: number): (value: unknown) => unknown {
  const done = new Map<object, unknown>();
  const open = new Set<object>();
  let total = 0;
  const resolve = (value: unknown, depth: number): unknown => {
    const isContainer = Array.isArray(value) || value instanceof Map || value instanceof View;
    if (!isContainer) return value;
    const known = done.get(value);
    if (known !== undefined) return known;
    if (open.has(value) || depth > DEEPEST) {
      throw new Error(
        `readCheckpoint: containers must hold no circle and at most ${DEEPEST} others in each other`,
      );
    }
    open.add(value);
    let made: unknown;
    if (value instanceof View) {
      total += 4 * value.shape.reduce((a, b) => a * b, 1);
      if (total > maxBytes) {
        throw new Error(
          `readCheckpoint: tensors must take at most ${maxBytes} bytes, got ${total} and more (raise maxBytes)`,
        );
      }
      made = readView(value);
    } else if (Array.isArray(value)) made = value.map((item) => resolve(item, depth + 1));
    else made = new Map([...value].map(([key, item]) => [key, resolve(item, depth + 1)]));
    open.delete(value);
    done.set(value, made);
    return made;
  };
  return (value) => resolve(value, 0);
}

function readView({ storage, offset, shape, strides }: View): CheckpointTensor {
  const [size, read] = STORAGES[storage.type];
  const { bytes } = storage;
  const count = shape.reduce((a, b) => a * b, 1);
  const last = offset + shape.reduce((sum, extent, axis) => sum + (extent - 1) * strides[axis], 0);
  if (bytes === undefined || bytes.length < storage.count * size || (count > 0 && !(last < storage.count))) {
    throw new Error(
      `readCheckpoint: storage ${storage.key} must hold ${storage.count} values (is the file cut off?)`,
    );
  }
  if (count > storage.count) {
    throw new Error(
      `readCheckpoint: a tensor must not repeat its values, got ${count} of the ${storage.count} in storage ${storage.key} (save tensor.contiguous())`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(count);
  const index = shape.map(() => 0);
  for (let i = 0; i < count; i++) {
    const from = index.reduce((sum, position, axis) => sum + position * strides[axis], offset);
    values[i] = read(view, from * size);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return { shape, values };
}

/**
 * Reads the files of a zip archive that are stored or deflated (what PyTorch writes). Not by fflate, as elsewhere: its `unzipSync`
 * believes the sizes that an archive states, and this stops at the limit whatever they are.
 * @param maxBytes what all files may unpack to together.
 * @returns contents by path.
 * @throws Error when the archive is cut off, encrypted, of 4 GB and more, or unpacks to more than `maxBytes`.
 */
export async function readZip(
  bytes: Uint8Array,
  maxBytes: number = READ_CHECKPOINT_DEFAULTS.maxBytes,
): Promise<Map<string, Uint8Array>> {
  let left = maxBytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  const files = new Map<string, Uint8Array>();
  let at = view.getUint32(end + 16, true);
  if (at === 0xffffffff || count === 0xffff)
    throw new Error('readZip: archives of 4 GB and more are not read');
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== 0x02014b50) {
      throw new Error(`readZip: no directory entry at byte ${at} (is the file cut off?)`);
    }
    const method = view.getUint16(at + 10, true);
    const size = view.getUint32(at + 20, true);
    const nameLength = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const header = view.getUint32(at + 42, true);
    if (header + 30 > bytes.length)
      throw new Error(`readZip: ${name} lies outside the file (is it cut off?)`);
    const data = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
    if (data + size > bytes.length)
      throw new Error(`readZip: ${name} lies outside the file (is it cut off?)`);
    const content = await unpack(bytes.subarray(data, data + size), method, name, left);
    if (content === undefined) {
      throw new Error(
        `readZip: files must unpack to at most ${maxBytes} bytes, got more with ${name} (raise maxBytes)`,
      );
    }
    left -= content.length;
    files.set(name, content);
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return files;
}

/** Position of the end-of-directory record, which a comment of up to 64 kB may follow. */
function findEnd(view: DataView): number {
  const first = Math.max(0, view.byteLength - 22 - 0xffff);
  for (let at = view.byteLength - 22; at >= first; at--) {
    if (view.getUint32(at, true) === 0x06054b50) return at;
  }
  throw new Error('readZip: no end of directory (is the file cut off?)');
}

/** @returns undefined where there is more than `limit` bytes of it. */
async function unpack(
  data: Uint8Array,
  method: number,
  name: string,
  limit: number,
): Promise<Uint8Array | undefined> {
  if (method === 0) return data.length <= limit ? data : undefined;
  if (method !== 8) throw new Error(`readZip: ${name} must be stored or deflated, got method ${method}`);
  const stream = new Blob([data as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('deflate-raw'));
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of stream as unknown as AsyncIterable<Uint8Array>) {
    length += part.length;
    // Leaving the loop ends the stream.
    if (length > limit) return undefined;
    parts.push(part);
  }
  return joinBytes(parts);
}
