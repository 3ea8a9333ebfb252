import { countLandmarks, type Landmarks, withDefaults } from '@voxface/landmarks';

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
  /** Standard deviation in voxels, the same along x, y and z at every stage. Paper: 1. @default 1 */
  sigma: number;
  /**
   * `density`: Eq. 1 and Eq. 3 with their prefactors. `peak`: every value times (2 pi)^(3/2) sigma^3, so that a
   * lone voxel centre of Eq. 1 is 1; heatmaps get the same factor, which keeps Eq. 4.
   * @default 'density'
   */
  amplitude: 'density' | 'peak';
  /**
   * `normalized`: the weights along z sum to 1 inside the grid, so that Eq. 4 equals Eq. 3 for one landmark at every
   * depth, also where z lies outside the grid. `literal`: Eq. 1 verbatim; z tails that leave the grid are lost.
   * @default 'normalized'
   */
  depthKernel: 'normalized' | 'literal';
  /** Values under this share of the Gaussian's peak are not drawn; 0 draws everything. @default 1e-3 */
  cutoff: number;
}

/** How landmarks of one face become volumes, for all stages of a network. */
export interface VolumeOptions extends KernelOptions {
  /** Voxels along x. @default 64 */
  width: number;
  /** Voxels along y. @default 64 */
  height: number;
  /** Voxels along z, one entry per stage. Paper: 1, 2, 4, 64. @default [1, 2, 4, 64] */
  depths: readonly number[];
  /**
   * Colours c of Eq. 1: hue wheel by landmark index (`sorted`), the same wheel shuffled by `seed` (`random`), one
   * channel of ones (`compact`), or one channel for each landmark (`per-landmark`, for comparison).
   * @default 'sorted'
   */
  colors: 'sorted' | 'random' | 'compact' | 'per-landmark';
  /** Seed of the `random` colours. @default 0 */
  seed: number;
}

/** Kernel of Sec. IV-A (sigma = 1) with voxface's choices where the paper is open. */
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

/** Throws unless stage and kernel can be drawn; `caller` names the function in the message. */
export function checkDrawing(caller: string, stage: VolumeStage, kernel: KernelOptions): void {
  for (const [name, size] of Object.entries({
    width: stage.width,
    height: stage.height,
    depth: stage.depth,
  })) {
    if (!(Number.isInteger(size) && size > 0)) {
      throw new RangeError(`${caller}: ${name} must be a positive integer, got ${size}`);
    }
  }
  if (!(kernel.sigma > 0 && Number.isFinite(kernel.sigma))) {
    throw new RangeError(`${caller}: sigma must be positive and finite, got ${kernel.sigma} (voxels)`);
  }
  if (!(kernel.cutoff >= 0 && kernel.cutoff < 1)) {
    throw new RangeError(
      `${caller}: cutoff must be in [0, 1), got ${kernel.cutoff} (0 draws the whole Gaussian)`,
    );
  }
  checkChoice(caller, 'amplitude', kernel.amplitude, ['density', 'peak']);
  checkChoice(caller, 'depthKernel', kernel.depthKernel, ['normalized', 'literal']);
}

/** Throws unless `value` is one of `allowed`. */
export function checkChoice(caller: string, name: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) {
    throw new RangeError(`${caller}: ${name} must be one of ${allowed.join(', ')}, got ${value}`);
  }
}

/** Throws unless the landmarks are finite, have `dims` coordinates and `colors` holds whole rows for each of them. */
export function checkEncodable(caller: string, unit: Landmarks, dims: 2 | 3, colors: Float32Array): void {
  if (unit.dims < dims) {
    throw new RangeError(`${caller}: expected 3D landmarks, got 2D (use encodeHeatmap)`);
  }
  const count = countLandmarks(unit);
  if (colors.length === 0 || colors.length % count !== 0) {
    throw new RangeError(
      `${caller}: colors must be [n, c] with n = ${count} landmarks, got ${colors.length} values`,
    );
  }
  const bad = unit.points.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new RangeError(
      `${caller}: landmarks must be finite, got ${unit.points[bad]} at landmark ${Math.floor(bad / unit.dims)}`,
    );
  }
}

/** Size of one encoding of a face in single precision. */
export interface VolumeMemory {
  readonly encoding: 'compact' | 'semantic' | 'per-landmark';
  readonly channels: number;
  /** Bytes of the finest volume of one face. */
  readonly lastStage: number;
  /** Bytes of all stages of one face. */
  readonly allStages: number;
}

/**
 * What compact, semantic and channel-per-landmark volumes of one face take: the first two do not grow with the number
 * of landmarks.
 * @param count number of landmarks.
 */
export function volumeMemory(
  count: number,
  options: Partial<Pick<VolumeOptions, 'width' | 'height' | 'depths'>> = {},
): VolumeMemory[] {
  const { width, height, depths } = withDefaults(VOLUME_DEFAULTS, options);
  const slice = width * height * Float32Array.BYTES_PER_ELEMENT;
  const total = depths.reduce((sum, depth) => sum + depth, 0);
  const encodings = [
    ['compact', 1],
    ['semantic', 3],
    ['per-landmark', count],
  ] as const;
  return encodings.map(([encoding, channels]) => ({
    encoding,
    channels,
    lastStage: slice * (depths.at(-1) ?? 0) * channels,
    allStages: slice * total * channels,
  }));
}

/** The same as a Markdown table, in MB (10^6 bytes). */
export function formatVolumeMemory(
  count: number,
  options: Partial<Pick<VolumeOptions, 'width' | 'height' | 'depths'>> = {},
): string {
  const size = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`;
  const rows = volumeMemory(count, options).map(
    ({ encoding, channels, lastStage, allStages }) =>
      `| ${encoding} | ${channels} | ${size(lastStage)} | ${size(allStages)} |`,
  );
  const head = `| encoding of ${count} landmarks | channels | last stage | all stages |\n| --- | ---: | ---: | ---: |`;
  return `${head}\n${rows.join('\n')}\n`;
}
