// Design. A GPU repeats a training step in a few milliseconds, while TensorFlow.js takes hundreds to decide what to run: for every
// kernel it makes a tensor, a key, a uniform buffer and a bind group. A recording keeps what came of all that, the list of
// pipelines and bind groups, and sends it again. Buffers that the recording took are its own from then on, reused among its
// tensors as they were the first time; inputs are copied into them, outputs out of them.

import {
  backend,
  engine,
  env,
  getBackend,
  type KernelBackend,
  type Tensor,
  type TensorInfo,
  tidy,
} from '@tensorflow/tfjs-core';
import { checkInputs, describeTensor, type Recording } from '../program/record-program.ts';

/** The parts of WebGPU and of TensorFlow.js' backend that a recording touches, stable in 4.x. */
interface GpuBuffer {
  readonly size: number;
  readonly usage: number;
  getMappedRange(): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}
interface ComputePass {
  setPipeline(pipeline: object): void;
  setBindGroup(index: number, group: object): void;
  dispatchWorkgroups(x: number, y: number, z: number): void;
  end(): void;
}
interface CommandEncoder {
  beginComputePass(): ComputePass;
  copyBufferToBuffer(from: GpuBuffer, at: number, to: GpuBuffer, start: number, size: number): void;
  finish(): object;
}
interface Device {
  readonly queue: { submit(commands: object[]): void };
  createBuffer(options: { size: number; usage: number; mappedAtCreation?: boolean }): GpuBuffer;
  createBindGroup(options: object): object;
  createCommandEncoder(): CommandEncoder;
}
interface BufferManager {
  acquireBuffer(size: number, usage: number, mapped?: boolean, reuse?: boolean): GpuBuffer;
  releaseBuffer(buffer: GpuBuffer, reuse?: boolean): void;
}
interface Data {
  resource?: GpuBuffer | null;
  values?: unknown;
}
interface GpuBackend extends KernelBackend {
  readonly device: Device;
  readonly bufferManager: BufferManager;
  readonly tensorMap: { get(dataId: object): Data };
  readonly commandEncoder: object | null;
  uploadToGPU(dataId: object): void;
  makeTensorInfo(shape: number[], dtype: string): TensorInfo;
  recordAndSubmit(program: Command & { dispatch: Command['dispatch'] }, ...rest: unknown[]): void;
  copyBuffer(buffer: GpuBuffer): GpuBuffer;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** One dispatch. */
interface Command {
  readonly pipeline: object;
  readonly group: object;
  readonly dispatch: readonly [number, number, number];
}

/** GPUBufferUsage, which is no global outside browsers. */
const USAGE = { mapRead: 1, mapWrite: 2, copySource: 4, copyTarget: 8, uniform: 64, storage: 128 } as const;
const TENSOR = USAGE.storage | USAGE.copySource | USAGE.copyTarget;

/**
 * Runs a function once on the WebGPU backend and records its commands; a run of the program sends them again with new inputs.
 * The same rules as for `recordProgram`, and the same results, bit for bit.
 * @throws Error on another backend, and when the function copies buffers outside kernels.
 */
export function recordCommands(inputs: readonly Tensor[], compute: () => readonly Tensor[]): Recording {
  const host = backend() as GpuBackend;
  if (getBackend() !== 'webgpu') throw new Error('recordCommands: the current backend is not webgpu');
  const shapes = inputs.map(describeTensor);
  const pool = createPool(host);
  const distinct = [...new Set(inputs.map(({ dataId }) => dataId))];
  const slots = distinct.map((dataId) => {
    host.uploadToGPU(dataId);
    const data = host.tensorMap.get(dataId);
    const own = data.resource as GpuBuffer;
    // The function may assign to a variable among the inputs, which would dispose its value.
    host.incRef(dataId);
    return { data, own, buffer: pool.take(own.size, TENSOR) };
  });
  const places = distinct.map((dataId) => inputs.findIndex((input) => input.dataId === dataId));
  flush(host);
  copy(
    host,
    slots.map(({ own, buffer }) => [own, buffer]),
  );
  const commands: Command[] = [];
  const results: { buffer: GpuBuffer; shape: number[]; dtype: Tensor['dtype'] }[] = [];
  // During the recording the inputs live in the buffers of the recording.
  for (const { data, buffer } of slots) data.resource = buffer;
  try {
    observe(host, pool, commands, () =>
      tidy(() => {
        for (const { dataId, shape, dtype } of compute()) {
          host.uploadToGPU(dataId);
          results.push({ buffer: host.tensorMap.get(dataId).resource as GpuBuffer, shape, dtype });
        }
        flush(host);
      }),
    );
  } finally {
    flush(host);
    for (const { data, own } of slots) data.resource = own;
    for (const dataId of distinct) host.disposeData(dataId);
  }
  const collect = (): Tensor[] => {
    const copies: [GpuBuffer, GpuBuffer][] = [];
    const outputs = results.map(({ buffer, shape, dtype }) => {
      const info = host.makeTensorInfo([...shape], dtype);
      host.uploadToGPU(info.dataId);
      copies.push([buffer, host.tensorMap.get(info.dataId).resource as GpuBuffer]);
      return engine().makeTensorFromTensorInfo(info);
    });
    copy(host, copies);
    return outputs;
  };
  const outputs = collect();
  let alive = true;
  return {
    outputs,
    program: {
      length: commands.length,
      run(given) {
        if (!alive) throw new Error('Program.run: this program was disposed (record it again)');
        if (backend() !== host) throw new Error('Program.run: recorded on another backend (record it again)');
        checkInputs(given, shapes);
        flush(host);
        fill(
          host,
          slots.map(({ buffer }, slot) => [given[places[slot]], buffer]),
        );
        send(host, commands);
        return collect();
      },
      dispose() {
        alive = false;
        commands.length = 0;
        pool.dispose();
      },
    },
  };
}

/** Sends what the backend has not sent yet, so that our commands come after it. */
function flush(host: GpuBackend): void {
  host.endComputePassEncoder();
  if (host.commandEncoder !== null) host.submitQueue();
}

/** Copies tensors into buffers; those whose values are on the host travel together, in one staging buffer. */
function fill(host: GpuBackend, pairs: readonly (readonly [Tensor, GpuBuffer])[]): void {
  const encoder = host.device.createCommandEncoder();
  const waiting: { values: ArrayLike<number>; dtype: string; to: GpuBuffer }[] = [];
  for (const [{ dataId, dtype }, to] of pairs) {
    const { resource, values } = host.tensorMap.get(dataId);
    if (resource == null && values != null) waiting.push({ values: values as ArrayLike<number>, dtype, to });
    else if (resource != null && resource !== to) encoder.copyBufferToBuffer(resource, 0, to, 0, to.size);
  }
  const size = waiting.reduce((sum, { to }) => sum + to.size, 0);
  const usage = USAGE.mapWrite | USAGE.copySource;
  const staging = size > 0 ? host.device.createBuffer({ size, usage, mappedAtCreation: true }) : undefined;
  if (staging !== undefined) {
    const room = staging.getMappedRange();
    let at = 0;
    for (const { values, dtype, to } of waiting) {
      const View = dtype === 'float32' ? Float32Array : Int32Array;
      new View(room, at, to.size / 4).set(values);
      encoder.copyBufferToBuffer(staging, at, to, 0, to.size);
      at += to.size;
    }
    staging.unmap();
  }
  host.device.queue.submit([encoder.finish()]);
  staging?.destroy();
}

function copy(host: GpuBackend, pairs: readonly (readonly [GpuBuffer, GpuBuffer])[]): void {
  const encoder = host.device.createCommandEncoder();
  for (const [from, to] of pairs) {
    if (from !== to) encoder.copyBufferToBuffer(from, 0, to, 0, from.size);
  }
  host.device.queue.submit([encoder.finish()]);
}

function send(host: GpuBackend, commands: readonly Command[]): void {
  const encoder = host.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (const { pipeline, group, dispatch } of commands) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(dispatch[0], dispatch[1], dispatch[2]);
  }
  pass.end();
  host.device.queue.submit([encoder.finish()]);
}

/** Buffers of one recording. */
interface Pool {
  take(size: number, usage: number, mapped?: boolean): GpuBuffer;
  /** Gives a buffer back to the recording. @returns false for a buffer of others. */
  give(buffer: GpuBuffer): boolean;
  /** Keeps a buffer from being used again: its content was written by the host. */
  pin(buffer: GpuBuffer): void;
  dispose(): void;
}

const owned = new WeakSet<GpuBuffer>();

function createPool(host: GpuBackend): Pool {
  keepOwnedBuffers(host.bufferManager);
  const all: GpuBuffer[] = [];
  const free = new Map<string, GpuBuffer[]>();
  const pinned = new Set<GpuBuffer>();
  const keyOf = (size: number, usage: number): string => `${size} ${usage}`;
  return {
    take(size, usage, mapped = false) {
      const known = usage & USAGE.uniform || mapped ? undefined : free.get(keyOf(size, usage))?.pop();
      if (known !== undefined) return known;
      const buffer = host.device.createBuffer({ size, usage, mappedAtCreation: mapped });
      owned.add(buffer);
      all.push(buffer);
      return buffer;
    },
    give(buffer) {
      if (!owned.has(buffer)) return false;
      if (buffer.usage & USAGE.uniform || pinned.has(buffer)) return true;
      const key = keyOf(buffer.size, buffer.usage);
      const list = free.get(key);
      if (list === undefined) free.set(key, [buffer]);
      else list.push(buffer);
      return true;
    },
    pin: (buffer) => void pinned.add(buffer),
    dispose() {
      for (const buffer of all.splice(0)) buffer.destroy();
    },
  };
}

const guarded = new WeakSet<BufferManager>();

/** Buffers of recordings never go to the backend's own store, even when a tensor that lived in one is disposed later. */
function keepOwnedBuffers(manager: BufferManager): void {
  if (guarded.has(manager)) return;
  guarded.add(manager);
  const original = manager.releaseBuffer.bind(manager);
  manager.releaseBuffer = (buffer, reuse) => {
    if (!owned.has(buffer)) original(buffer, reuse);
  };
}

/** Runs `body` with the backend's buffers taken from the pool, and its dispatches written down. */
function observe(host: GpuBackend, pool: Pool, commands: Command[], body: () => void): void {
  const { bufferManager, device } = host;
  const forward = env().getBool('WEBGPU_CPU_FORWARD');
  const restores: (() => void)[] = [];
  const replace = <T extends object, K extends keyof T>(
    target: T,
    name: K,
    make: (original: T[K]) => T[K],
  ): void => {
    const own = Object.getOwnPropertyDescriptor(target, name);
    const original = (target[name] as (...args: unknown[]) => unknown).bind(target) as T[K];
    Object.defineProperty(target, name, { value: make(original), configurable: true, writable: true });
    restores.push(() => {
      if (own) Object.defineProperty(target, name, own);
      else delete target[name];
    });
  };
  let group: object | undefined;
  replace(device, 'createBindGroup', (original) => (options) => {
    group = original(options);
    return group;
  });
  replace(host, 'recordAndSubmit', (original) => (program, ...rest) => {
    original(program, ...rest);
    const [x, y, z] = program.dispatch;
    commands.push({ pipeline: program.pipeline, group: group!, dispatch: [x, y, z] });
  });
  replace(host, 'uploadToGPU', (original) => (dataId) => {
    const data = host.tensorMap.get(dataId);
    const isWritten = data.resource == null && data.values != null;
    original(dataId);
    if (isWritten) pool.pin(data.resource as GpuBuffer);
  });
  replace(host, 'copyBuffer', () => () => {
    throw new Error('recordCommands: buffers must not be copied while commands are recorded');
  });
  replace(
    bufferManager,
    'acquireBuffer',
    (original) => (size, usage, mapped, reuse) =>
      // Staging buffers live for one upload.
      usage & (USAGE.mapRead | USAGE.mapWrite)
        ? original(size, usage, mapped, reuse)
        : pool.take(size, usage, mapped),
  );
  replace(bufferManager, 'releaseBuffer', (original) => (buffer, reuse) => {
    if (!pool.give(buffer)) original(buffer, reuse);
  });
  env().set('WEBGPU_CPU_FORWARD', false);
  try {
    body();
  } finally {
    env().set('WEBGPU_CPU_FORWARD', forward);
    for (const restore of restores.reverse()) restore();
  }
}
