import type { BatchSource, BatchState } from './batches.ts';
import type { CroppedSample } from './sample.ts';

/** A batch of one kind only: 3D samples have a depth to learn from, 2D samples have none. */
export type KindOfBatch =
  | { readonly kind: '2d'; readonly samples: CroppedSample<2>[] }
  | { readonly kind: '3d'; readonly samples: CroppedSample<3>[] };

export interface PairState {
  readonly version: 1;
  /** Batches handed out so far. */
  readonly batches: number;
  readonly plane: BatchState;
  readonly spatial: BatchState;
}

export interface PairedBatches {
  next(): Promise<KindOfBatch>;
  state(): PairState;
  close(): Promise<void>;
}

/**
 * Mixes a 2D and a 3D source, batch by batch, in a fixed and even order: after any number of batches the count of
 * 2D batches is the nearest one below the asked share. Each batch is of one kind.
 * @param ratio 2D batches per 3D batch: 1 alternates (3D first), 0.5 gives 3D 3D 2D.
 * @param state a saved `state()`; the sources must be made from its `plane` and `spatial`.
 * @throws RangeError when the ratio is negative or not finite, or a source does not stand where the state says.
 */
export function pairBatches(
  spatial: BatchSource<3>,
  plane: BatchSource<2>,
  ratio: number,
  state?: PairState,
): PairedBatches {
  if (!(ratio >= 0 && Number.isFinite(ratio))) {
    throw new RangeError(`pairBatches: ratio must be finite and >= 0, got ${ratio}`);
  }
  if (
    state &&
    (state.plane.batches !== plane.state().batches || state.spatial.batches !== spatial.state().batches)
  ) {
    throw new RangeError(
      `pairBatches: the sources must stand at batch ${state.spatial.batches} (3D) and ${state.plane.batches} (2D), got ${spatial.state().batches} and ${plane.state().batches} (create them from the saved state)`,
    );
  }
  const share = ratio / (1 + ratio);
  let batches = state?.batches ?? 0;
  return {
    async next() {
      const before = Math.floor(batches * share + 1e-9);
      batches += 1;
      return Math.floor(batches * share + 1e-9) > before
        ? { kind: '2d', samples: await plane.next() }
        : { kind: '3d', samples: await spatial.next() };
    },
    state: () => ({ version: 1, batches, plane: plane.state(), spatial: spatial.state() }),
    async close() {
      await Promise.all([spatial.close(), plane.close()]);
    },
  };
}
