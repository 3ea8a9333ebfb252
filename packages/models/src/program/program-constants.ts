import type { Tensor } from '@tensorflow/tfjs-core';
import type { View } from './plan.ts';

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
