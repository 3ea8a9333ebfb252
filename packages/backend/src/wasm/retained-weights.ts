import type { KernelModule } from './kernel-module.ts';

interface Memory {
  _malloc(bytes: number): number;
  _free(pointer: number): void;
}

interface Retained {
  count: number;
  /** Byte offset of the weights. */
  readonly weights: number;
  /** Byte offsets of packed forms. */
  readonly forms: Map<string, number>;
}

interface RetainedWeights extends Pick<KernelModule, 'packed'> {
  retain(dataId: object, weights: number): void;
  release(dataId: object): void;
}

/** Packed forms of weights that are known to stay. */
export function createRetained(memory: Memory): RetainedWeights {
  const entries = new Map<object, Retained>();
  const formsOf = new Map<number, Map<string, number>>();
  return {
    retain(dataId, weights) {
      const entry = entries.get(dataId) ?? { count: 0, weights, forms: new Map() };
      entry.count++;
      entries.set(dataId, entry);
      formsOf.set(entry.weights, entry.forms);
    },
    release(dataId) {
      const entry = entries.get(dataId);
      if (entry === undefined || --entry.count > 0) return;
      for (const pointer of entry.forms.values()) memory._free(pointer);
      entries.delete(dataId);
      if (formsOf.get(entry.weights) === entry.forms) formsOf.delete(entry.weights);
    },
    packed(weights, form, bytes, allocate, pack) {
      const forms = formsOf.get(weights);
      const known = forms?.get(form);
      if (known !== undefined) return known;
      const target = forms === undefined ? allocate(bytes) : memory._malloc(bytes) >>> 0;
      if (target === 0) {
        throw new Error(`wasm kernels: out of memory, asked for ${bytes} bytes (use smaller batches)`);
      }
      pack(target);
      forms?.set(form, target);
      return target;
    },
  };
}
