/** Size of a heatmap in cells. */
export interface PlaneStage {
  readonly width: number;
  readonly height: number;
}

/** Size of a volume in voxels. */
export interface VolumeStage extends PlaneStage {
  readonly depth: number;
}

/** Shape of a volume array [height, width, depth, channels], channels fastest. */
export interface VolumeShape extends VolumeStage {
  readonly channels: number;
}

/** The Gaussian that is drawn around a landmark. */
export interface KernelOptions {
  /** Standard deviation in voxels, the same along x, y and z at every stage. Paper: 1. */
  sigma: number;
  /**
   * `density`: Eq. 1 and Eq. 3 with their prefactors. `peak`: every value times (2 pi)^(3/2) sigma^3, so that a
   * lone voxel centre of Eq. 1 is 1; heatmaps get the same factor, which keeps Eq. 4.
   */
  amplitude: 'density' | 'peak';
  /**
   * `normalized`: the weights along z sum to 1 inside the grid, so that Eq. 4 equals Eq. 3 for one landmark at every
   * depth, also where z lies outside the grid. `literal`: Eq. 1 verbatim; z tails that leave the grid are lost.
   */
  depthKernel: 'normalized' | 'literal';
  /** Values under this share of the Gaussian's peak are not drawn; 0 draws everything. */
  cutoff: number;
}

/** How landmarks of one face become volumes, for all stages of a network. */
export interface VolumeOptions extends KernelOptions {
  /** Voxels along x. */
  width: number;
  /** Voxels along y. */
  height: number;
  /** Voxels along z, one entry per stage. Paper: 1, 2, 4, 64. */
  depths: readonly number[];
  /**
   * Colours c of Eq. 1: hue wheel by landmark index (`sorted`), the same wheel shuffled by `seed` (`random`), one
   * channel of ones (`compact`), or one channel for each landmark (`per-landmark`, for comparison).
   */
  colors: 'sorted' | 'random' | 'compact' | 'per-landmark';
  /** Seed of the `random` colours. */
  seed: number;
}

/** Kernel of Sec. IV-A (sigma = 1) with the house's choices where the paper is open. */
export const KERNEL_DEFAULTS: KernelOptions = {
  sigma: 1,
  amplitude: 'density',
  depthKernel: 'normalized',
  cutoff: 1e-3,
};

/** Four stages of 64 x 64 x {1, 2, 4, 64} voxels, Sec. IV-A. */
export const VOLUME_DEFAULTS: VolumeOptions = {
  ...KERNEL_DEFAULTS,
  width: 64,
  height: 64,
  depths: [1, 2, 4, 64],
  colors: 'sorted',
  seed: 0,
};

/** Fills in defaults; an explicit `undefined` means the default. */
export function resolveOptions<T extends object>(defaults: T, options: Partial<T>): T {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}
