/** A decoded picture: 8-bit RGB or RGBA, row-major [height, width, channels]. */
export interface Pixels {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
}
