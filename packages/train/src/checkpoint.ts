import type { NetworkName } from './networks.ts';
import type { NetworkState, TrainingState } from './training-state.ts';

const MAGIC = 0x31435856;
const VERSION = 1;

/** What a checkpoint says about itself besides the state. */
export interface CheckpointInfo {
  /** The run's configuration, as checked. */
  readonly config: unknown;
  /** Versions of the software that wrote it. */
  readonly versions: Readonly<Record<string, string>>;
  /** Backend that it was written on. */
  readonly backend: string;
}

/** A checkpoint: the whole state of a run after a whole number of steps. */
export interface Checkpoint extends CheckpointInfo {
  readonly state: TrainingState;
}

interface Header extends CheckpointInfo {
  readonly step: number;
  readonly mu: number;
  readonly best?: { error: number; step: number };
  readonly ended?: Record<number, number>;
  readonly networks: Partial<Record<NetworkName, { signature: string; adamStep: number }>>;
  /** Arrays of the payload in order. */
  readonly arrays: readonly { name: string; length: number }[];
}

/**
 * Writes a state as one block of bytes: magic, version, header length, CRC-32C of all that follows, JSON header, then
 * the arrays as little-endian float32. Random numbers need no state of their own: every draw depends on the seed
 * and the position, and the position is the step.
 */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array<ArrayBuffer> {
  const { state, config, versions, backend } = checkpoint;
  const arrays = Object.entries(state.networks).flatMap(([name, network]) => listArrays(name, network));
  const networks = Object.fromEntries(
    Object.entries(state.networks).map(([name, { signature, adam }]) => [
      name,
      { signature, adamStep: adam.step },
    ]),
  );
  const header: Header = {
    config,
    versions,
    backend,
    step: state.step,
    mu: state.mu,
    best: state.best,
    ended: state.ended,
    networks,
    arrays: arrays.map(({ name, values }) => ({ name, length: values.length })),
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const total = arrays.reduce((sum, { values }) => sum + 4 * values.length, 16 + text.length);
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, VERSION, true);
  view.setUint32(8, text.length, true);
  bytes.set(text, 16);
  let at = 16 + text.length;
  for (const { values } of arrays) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  view.setUint32(12, crc32c(bytes.subarray(16)), true);
  return bytes;
}

/**
 * Reads a checkpoint.
 * @param source what messages call it, usually the file name.
 * @throws Error when the bytes are no checkpoint, of another version, truncated or damaged.
 */
export function decodeCheckpoint(bytes: Uint8Array, source: string): Checkpoint {
  const fail = (rule: string): never => {
    throw new Error(`decodeCheckpoint: ${source} ${rule}`);
  };
  if (bytes.length < 16) fail(`is truncated, got ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== MAGIC) fail('is no checkpoint (its first bytes are not VXC1)');
  if (view.getUint32(4, true) !== VERSION)
    fail(`has version ${view.getUint32(4, true)}, expected ${VERSION}`);
  if (view.getUint32(12, true) !== crc32c(bytes.subarray(16))) {
    fail('is truncated or damaged: its checksum does not match');
  }
  const headerEnd = 16 + view.getUint32(8, true);
  let header: Header;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(16, headerEnd))) as Header;
  } catch {
    return fail('must hold a JSON header, got other bytes');
  }
  const isList =
    Array.isArray(header?.arrays) && typeof header.networks === 'object' && header.networks !== null;
  if (!isList || !Number.isSafeInteger(header.step)) {
    fail('must say its step, its networks and its arrays in the header');
  }
  const arrays = new Map<string, Float32Array>();
  let at = headerEnd;
  for (const part of header.arrays) {
    const { name, length } = part ?? {};
    const isInside = Number.isSafeInteger(length) && length >= 0 && at + 4 * length <= bytes.length;
    if (typeof name !== 'string' || !isInside) {
      fail(`must hold the arrays that its header lists, got ${JSON.stringify(part)}`);
    }
    // A copy of its own, aligned; `slice` of a Node Buffer would be a view.
    const values = new Float32Array(length);
    new Uint8Array(values.buffer).set(bytes.subarray(at, at + 4 * length));
    arrays.set(name, values);
    at += 4 * length;
  }
  const networks: Partial<Record<NetworkName, NetworkState>> = {};
  for (const [name, network] of Object.entries(header.networks)) {
    const { signature, adamStep } = network ?? {};
    const lengths = ['parameters', 'first', 'second'].map((key) => arrays.get(`${name}/${key}`)?.length);
    const isWhole = lengths[0] !== undefined && lengths.every((length) => length === lengths[0]);
    if (!isWhole || !arrays.has(`${name}/statistics`) || !Number.isSafeInteger(adamStep)) {
      fail(`must hold parameters, statistics and moments of the ${name}, of one length`);
    }
    networks[name as NetworkName] = readNetwork(name, signature, adamStep, arrays);
  }
  const { config, versions, backend, step, mu, best, ended } = header;
  const state = { step, mu, ...(best && { best }), ...(ended && { ended }), networks };
  return { config, versions, backend, state };
}

/**
 * Takes a state over into one of the same networks.
 * @throws Error when a network is missing or its shapes differ.
 */
export function restoreState(target: TrainingState, saved: TrainingState, source: string): void {
  for (const [name, network] of Object.entries(target.networks)) {
    const from = saved.networks[name as NetworkName];
    if (from === undefined || from.signature !== network.signature) {
      throw new Error(
        `restoreState: the ${name} in ${source} has other shapes than this run's model (resume with the configuration it was made with)`,
      );
    }
    network.parameters.set(from.parameters);
    network.statistics.set(from.statistics);
    network.adam.first.set(from.adam.first);
    network.adam.second.set(from.adam.second);
    network.adam.step = from.adam.step;
    network.average?.parameters.set((from.average ?? from).parameters);
    network.average?.statistics.set((from.average ?? from).statistics);
  }
  target.step = saved.step;
  target.mu = saved.mu;
  target.best = saved.best;
  target.ended = saved.ended;
}

function listArrays(name: string, network: NetworkState): { name: string; values: Float32Array }[] {
  const arrays = [
    { name: `${name}/parameters`, values: network.parameters },
    { name: `${name}/statistics`, values: network.statistics },
    { name: `${name}/first`, values: network.adam.first },
    { name: `${name}/second`, values: network.adam.second },
  ];
  if (network.average !== undefined) {
    arrays.push({ name: `${name}/average-parameters`, values: network.average.parameters });
    arrays.push({ name: `${name}/average-statistics`, values: network.average.statistics });
  }
  return arrays;
}

function readNetwork(
  name: string,
  signature: string,
  step: number,
  arrays: ReadonlyMap<string, Float32Array>,
): NetworkState {
  const get = (part: string): Float32Array => arrays.get(`${name}/${part}`)!;
  const average = arrays.has(`${name}/average-parameters`)
    ? { parameters: get('average-parameters'), statistics: get('average-statistics') }
    : undefined;
  const adam = { first: get('first'), second: get('second'), step };
  return {
    signature,
    parameters: get('parameters'),
    statistics: get('statistics'),
    adam,
    ...(average && { average }),
  };
}

/** CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected), as TensorBoard's records and checkpoints use it. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = TABLE[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

const TABLE: Uint32Array = createTable();

function createTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
    return value;
  });
}
