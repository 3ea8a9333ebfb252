import type { Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { estimateFlatVolumes, regressCoordinates, regressorFeed } from '@voxface/models';
import type { NetworkName, TrainedNetworks } from './networks.ts';
import { selectNetworks } from './networks.ts';

/** What the discriminator returns for one set of volumes. */
export interface Discrimination {
  /** Reconstructed volumes per stage [b, h, w, d_m * c]. */
  readonly reconstructed: Tensor4D[];
  /** [b, n, 3] crop unit coordinates, where D shares P's encoder. */
  readonly coordinates?: Tensor3D;
}

/** Runs D on volumes [b, h, w, d_m * c] and images, with batch statistics. */
export function discriminate(
  networks: TrainedNetworks,
  volumes: readonly Tensor4D[],
  images: Tensor4D,
): Discrimination {
  const { model, discriminator } = networks;
  if (discriminator === undefined) {
    throw new Error('discriminate: this run has no discriminator (give the trainer one)');
  }
  const result = discriminator.network.apply(regressorFeed(model, volumes, images), { training: true });
  const outputs = (Array.isArray(result) ? result : [result]) as Tensor[];
  return networks.shared
    ? { reconstructed: outputs.slice(0, -1) as Tensor4D[], coordinates: outputs.at(-1) as Tensor3D }
    : { reconstructed: outputs as Tensor4D[] };
}

/** Runs G with batch statistics; [b, h, w, d_m * c] per stage. */
export function estimate(networks: TrainedNetworks, images: Tensor4D): Tensor4D[] {
  return estimateFlatVolumes(networks.model, images, true);
}

/** Runs P with batch statistics; [b, n, 3]. */
export function regress(networks: TrainedNetworks, volumes: readonly Tensor4D[], images: Tensor4D): Tensor3D {
  return regressCoordinates(networks.model, volumes, images, true);
}

/** Runs `f` and puts the running statistics of the named networks back to what they were. */
export function withoutRecording<T>(networks: TrainedNetworks, names: readonly NetworkName[], f: () => T): T {
  const sets = selectNetworks(networks, names).map((weights) => weights.statistics);
  const snapshots = sets.map((set) => set.snapshot());
  try {
    return f();
  } finally {
    sets.forEach((set, i) => {
      set.restore(snapshots[i]);
    });
  }
}
