import type { KernelModule } from './kernel-module.ts';

interface Memory {
  malloc(bytes: number): number;
  free(pointer: number): void;
  /** Byte offset of a tensor's values; undefined when another backend has them. */
  offsetOf(dataId: object): number | undefined;
}

interface Retained {
  count: number;
  readonly dataId: object;
  /** Byte offset of the weights when they were retained. */
  readonly weights: number;
  /** Byte offsets of packed forms. */
  readonly forms: Map<string, number>;
}

interface RetainedWeights extends Pick<KernelModule, 'packed'> {
  retain(dataId: object): void;
  release(dataId: object): void;
}

/** Packed forms of weights that are known to stay. */
export function createRetained({ malloc, free, offsetOf }: Memory): RetainedWeights {
  const entries = new Map<object, Retained>();
  const atOffset = new Map<number, Retained>();
  /** Forms of the weights at an offset. Weights that were used on another backend meanwhile have left it to other values. */
  const formsAt = (weights: number): Retained['forms'] | undefined => {
    const entry = atOffset.get(weights);
    return entry && offsetOf(entry.dataId) === weights ? entry.forms : undefined;
  };
  return {
    retain(dataId) {
      const known = entries.get(dataId);
      if (known !== undefined) {
        known.count++;
        return;
      }
      const weights = offsetOf(dataId);
      if (weights === undefined) return;
      const entry = { count: 1, dataId, weights, forms: new Map() };
      entries.set(dataId, entry);
      atOffset.set(weights, entry);
    },
    release(dataId) {
      const entry = entries.get(dataId);
      if (entry === undefined || --entry.count > 0) return;
      for (const pointer of entry.forms.values()) free(pointer);
      entries.delete(dataId);
      if (atOffset.get(entry.weights) === entry) atOffset.delete(entry.weights);
    },
    packed(weights, form, bytes, allocate, pack) {
      const forms = formsAt(weights);
      const known = forms?.get(form);
      if (known !== undefined) return known;
      const target = forms === undefined ? allocate(bytes) : malloc(bytes) >>> 0;
      if (target === 0) {
        throw new Error(`wasm kernels: out of memory, asked for ${bytes} bytes (use smaller batches)`);
      }
      pack(target);
      forms?.set(form, target);
      return target;
    },
  };
}
