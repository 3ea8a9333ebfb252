/** Red, green, blue in 0..1. */
export type Rgb = readonly [number, number, number];

/**
 * The sorted colour of a landmark: the hue wheel walked by index (Sec. III-A of the paper), saturation and value 1.
 * @param index landmark, 0..count-1.
 */
export function landmarkColor(index: number, count: number): Rgb {
  return hueColor(index / count);
}

/** Fully saturated colour of a hue in turns; 0 is red, 1/3 green, 2/3 blue. */
export function hueColor(hue: number): Rgb {
  const turn = (offset: number): number => {
    const k = (offset + hue * 6) % 6;
    return 1 - Math.max(0, Math.min(1, k, 4 - k));
  };
  return [turn(5), turn(3), turn(1)];
}

/** `from` at 0, `to` at 1. */
export function mixColors(from: Rgb, to: Rgb, share: number): Rgb {
  const mix = (i: 0 | 1 | 2): number => from[i] + (to[i] - from[i]) * share;
  return [mix(0), mix(1), mix(2)];
}

/** `#rrggbb`. */
export function toHex(color: Rgb): string {
  const byte = (v: number): string =>
    Math.round(255 * Math.max(0, Math.min(1, v)))
      .toString(16)
      .padStart(2, '0');
  return `#${byte(color[0])}${byte(color[1])}${byte(color[2])}`;
}
