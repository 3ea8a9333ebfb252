import type { Rgb } from './color.ts';

export type ThemeName = 'dark' | 'light';

/** Colours of a picture that has no photo behind it. */
export interface Theme {
  readonly background: Rgb;
  /** Surface in full light and in shadow. */
  readonly surface: Rgb;
  readonly shadow: Rgb;
  readonly lines: Rgb;
  readonly text: Rgb;
  /** Outline of dots. */
  readonly outline: Rgb;
}

export const THEMES: Readonly<Record<ThemeName, Theme>> = {
  dark: {
    background: [0.078, 0.09, 0.114],
    surface: [0.47, 0.51, 0.6],
    shadow: [0.17, 0.19, 0.23],
    lines: [0.32, 0.36, 0.43],
    text: [0.86, 0.88, 0.92],
    outline: [0.05, 0.06, 0.08],
  },
  light: {
    background: [1, 1, 1],
    surface: [0.95, 0.96, 0.98],
    shadow: [0.66, 0.69, 0.75],
    lines: [0.74, 0.76, 0.8],
    text: [0.16, 0.18, 0.22],
    outline: [0.2, 0.22, 0.26],
  },
};

/** @throws RangeError for a name that is no theme. */
export function themeOf(name: ThemeName): Theme {
  const theme = THEMES[name];
  if (!theme) {
    throw new RangeError(`themeOf: expected one of ${Object.keys(THEMES).join(', ')}, got ${name}`);
  }
  return theme;
}
