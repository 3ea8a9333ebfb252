import { VOLUME_DEFAULTS, type VolumeOptions } from './options.ts';

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
  const { width, height, depths } = { ...VOLUME_DEFAULTS, ...options };
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
