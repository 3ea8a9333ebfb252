import type { DataType, KernelFunc, NamedAttrMap, Tensor } from '@tensorflow/tfjs-core';

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
