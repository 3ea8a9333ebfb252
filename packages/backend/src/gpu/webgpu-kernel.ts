import type { DataType, KernelBackend, KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import type { KernelReplacement } from '../register-kernels.ts';

/** A compute shader for the WebGPU backend of TensorFlow.js, which keeps its pipelines, buffers and queue. */
export interface Shader {
  /** Names the pipeline: shaders of one key must have the same code. Numbers that are written into the code belong in it. */
  readonly key: string;
  /** Names of the input arrays, at most seven. */
  readonly variables: readonly string[];
  /** Values per element of each array, output last: 1 for f32, 4 for vec4<f32>. All 1 when left out. */
  readonly components?: readonly (1 | 4)[];
  /** Whole numbers that are not written into the code, by name: `uniforms.NAME`. */
  readonly uniforms?: Readonly<Record<string, number>>;
  readonly workgroupSize: number;
  /** Workgroups along x, y and z. */
  readonly workgroups: readonly [number, number, number];
  /** Declarations, and the function `main(index : i32)`. `localIndex`, `workgroupId` and `result` are there. */
  readonly code: string;
}

/** The part of TensorFlow.js' WebGPU backend that is used here, stable in 4.x. */
interface ProgramRunner {
  runWebGPUProgram(
    program: object,
    inputs: readonly TensorInfo[],
    dtype: DataType,
    uniforms?: readonly { type: 'int32'; data: number[] }[],
  ): TensorInfo;
}

/** Runs a shader. @param shape of the float32 output. */
export function runShader(
  backend: KernelBackend,
  shader: Shader,
  inputs: readonly TensorInfo[],
  shape: readonly number[],
): TensorInfo {
  const { key, variables, components, uniforms = {}, workgroupSize, workgroups, code } = shader;
  const names = Object.keys(uniforms);
  const program = {
    variableNames: [...variables],
    ...(components && { variableComponents: components.slice(0, -1), outputComponent: components.at(-1) }),
    uniforms: names.map((name) => `${name} : i32,`).join(' '),
    outputShape: [...shape],
    workgroupSize: [workgroupSize, 1, 1],
    dispatchLayout: { x: shape.map((_, axis) => axis) },
    dispatch: [...workgroups],
    shaderKey: `voxface_${key}`,
    getUserCode: () => code,
  };
  const data = names.map((name) => ({ type: 'int32' as const, data: [uniforms[name]] }));
  return (backend as unknown as ProgramRunner).runWebGPUProgram(program, inputs, 'float32', data);
}

/** Releases tensors that a kernel made for itself. */
export function release(backend: KernelBackend, ...tensors: readonly TensorInfo[]): void {
  for (const { dataId } of tensors) backend.disposeData(dataId);
}

/** What a kernel is called with. */
interface KernelCall<Inputs, Attributes> {
  inputs: Inputs;
  attrs: Attributes;
  backend: KernelBackend;
}

/**
 * A kernel of ours for the WebGPU backend.
 * @param run computes the outputs, or returns undefined for a call that the backend's own kernel should serve.
 */
export function defineGpuKernel<Inputs, Attributes>(
  kernelName: string,
  run: (call: KernelCall<Inputs, Attributes>) => TensorInfo | TensorInfo[] | undefined,
): KernelReplacement {
  return {
    kernelName,
    backendName: 'webgpu',
    create: (original): KernelFunc => {
      return (params) => run(params as unknown as KernelCall<Inputs, Attributes>) ?? original(params);
    },
  };
}

/** Workgroups for `count` threads, and the thread's number in the code; one axis alone does not reach far enough. */
export function spread(count: number, threads: number): { workgroups: Shader['workgroups']; at: string } {
  const groups = Math.ceil(count / threads);
  const across = Math.min(groups, 32768);
  return {
    workgroups: [across, Math.ceil(groups / across), 1],
    at: `i32((workgroupId.y * numWorkgroups.x + workgroupId.x) * ${threads}u + localIndex)`,
  };
}

/** Elements by elements: vec4 where the last axis allows it. @param body computes `value` at `at` of channel `channel`. */
export function elementwise(
  key: string,
  variables: readonly string[],
  size: number,
  channels: number,
  body: string,
): Shader {
  const width = channels % 4 === 0 ? 4 : 1;
  const type = width === 4 ? 'vec4<f32>' : 'f32';
  const count = size / width;
  const { workgroups, at } = spread(count, 256);
  return {
    key: `${key}_${channels}_${width}`,
    variables,
    components: [...variables.map(() => width as 1 | 4), width],
    uniforms: { count },
    workgroupSize: 256,
    workgroups,
    code: `
      fn main(index : i32) {
        let at = ${at};
        if (at >= uniforms.count) { return; }
        let channel = at % ${channels / width};
        var value : ${type};
        ${body.replaceAll('TYPE', type)}
        result[at] = value;
      }`,
  };
}
