import { engine, type KernelBackend, type Tensor, type TensorInfo } from '@tensorflow/tfjs-core';
import type { Plan, View } from './plan.ts';

/** Runs the calls of a plan; the caller disposes the outputs. */
export function runPlan(plan: Plan, inputs: readonly Tensor[], backend: KernelBackend): Tensor[] {
  const table: (TensorInfo | undefined)[] = new Array(plan.size);
  inputs.forEach((input, slot) => {
    table[slot] = input;
  });
  for (const { slot, tensor } of plan.constants) table[slot] = tensor;
  for (const { kernel, attrs, isList, args, slots, frees } of plan.calls) {
    const given: Record<string, TensorInfo> = isList ? ([] as never) : {};
    for (const arg of args) given[arg.key] = seen(table, arg);
    const result = kernel({ inputs: given, attrs, backend });
    if (Array.isArray(result)) for (let i = 0; i < slots.length; i++) table[slots[i]] = result[i];
    else table[slots[0]] = result;
    for (const slot of frees) {
      free(table[slot]!, backend);
      table[slot] = undefined;
    }
  }
  const isOwn = new Set<number>();
  for (const { slots } of plan.calls) for (const slot of slots) isOwn.add(slot);
  return plan.outputs.map((output) => {
    const info = table[output.slot]!;
    const { shape, dtype } = output;
    // The first output of a result takes it over; every other one, and views of inputs, share the values.
    const isTaken = isOwn.delete(output.slot);
    if (isTaken && isTensor(info) && hasShape(info, output)) return info;
    if (!isTaken || isTensor(info)) backend.incRef(info.dataId);
    const tensor = engine().makeTensorFromTensorInfo({ dataId: info.dataId, shape, dtype });
    if (isTaken && isTensor(info)) info.dispose();
    return tensor;
  });
}

/** The tensor itself where its shape is the recorded one: kernels that call other operations need it. */
function seen(table: readonly (TensorInfo | undefined)[], view: View): TensorInfo {
  const info = table[view.slot]!;
  if (hasShape(info, view)) return info;
  return { dataId: info.dataId, shape: view.shape, dtype: view.dtype };
}

function hasShape({ shape, dtype }: TensorInfo, view: View): boolean {
  if (dtype !== view.dtype || shape.length !== view.shape.length) return false;
  for (let i = 0; i < shape.length; i++) if (shape[i] !== view.shape[i]) return false;
  return true;
}

/** Kernels return bare descriptions, on tfjs-node tensors that the engine counts. */
function free(info: TensorInfo, backend: KernelBackend): void {
  if (isTensor(info)) info.dispose();
  else backend.disposeData(info.dataId);
}

function isTensor(info: TensorInfo): info is Tensor {
  return 'dispose' in info;
}
