import {
  type DataType,
  engine,
  type KernelBackend,
  type KernelFunc,
  type NamedAttrMap,
  type Tensor,
  type TensorInfo,
} from '@tensorflow/tfjs-core';

/** A place in the table of a run, seen in some shape. */
export interface View {
  readonly slot: number;
  readonly shape: number[];
  readonly dtype: DataType;
}

/** A kernel call between places of the table. */
export interface RecordedCall {
  readonly name: string;
  readonly kernel: KernelFunc;
  readonly attrs: NamedAttrMap;
  /** Whether the kernel takes a list instead of named inputs. */
  readonly isList: boolean;
  readonly args: readonly (View & { readonly key: string })[];
  /** Slots of its results. */
  readonly slots: readonly number[];
}

/** A call, and what is over after it. */
export interface PlannedCall extends RecordedCall {
  /** Results that no later call and no output reads, and values that this call is the last to read. */
  readonly frees: readonly number[];
}

/** What a program runs. The table starts with the inputs; constants and results have slots of their own. */
export interface Plan {
  readonly calls: readonly PlannedCall[];
  readonly constants: readonly { readonly slot: number; readonly tensor: Tensor }[];
  readonly outputs: readonly View[];
  readonly size: number;
}

/**
 * Leaves out the calls whose results reach no output, and finds where every result can be freed.
 * @param isResult whether a slot holds the result of a call (inputs and constants are never freed).
 */
export function planCalls(
  calls: readonly RecordedCall[],
  outputs: readonly View[],
  isResult: (slot: number) => boolean,
): PlannedCall[] {
  const live = new Set(outputs.map(({ slot }) => slot));
  const planned: PlannedCall[] = [];
  for (const call of calls.toReversed()) {
    if (!call.slots.some((slot) => live.has(slot))) continue;
    const read = new Set(call.args.map(({ slot }) => slot));
    const last = [...read].filter((slot) => isResult(slot) && !live.has(slot));
    const unread = call.slots.filter((slot) => !live.has(slot));
    for (const slot of read) live.add(slot);
    planned.push({ ...call, frees: [...last, ...unread] });
  }
  return planned.reverse();
}

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

/** The constants of a recording; new ones get slots of their own. */
export interface ProgramConstants {
  get(slot: number): Tensor | undefined;
  add(tensor: Tensor): number;
}

/** A tensor of the recording, and its slot. */
export interface Constant {
  readonly slot: number;
  readonly tensor: Tensor;
}

/** Reads and extends a list of constants. */
export function constantTable(constants: Constant[], newSlot: () => number): ProgramConstants {
  const tensors = new Map(constants.map(({ slot, tensor }) => [slot, tensor]));
  return {
    get: (slot) => tensors.get(slot),
    add(tensor) {
      const slot = newSlot();
      tensors.set(slot, tensor);
      constants.push({ slot, tensor });
      return slot;
    },
  };
}

/** Frees constants that no call and no output reads. */
export function disposeUnread(constants: Constant[], views: readonly View[]): void {
  const read = new Set(views.map(({ slot }) => slot));
  for (const constant of constants.splice(0)) {
    if (read.has(constant.slot)) constants.push(constant);
    else constant.tensor.dispose();
  }
}
