/** Options over their defaults: what the defaults name is there, the rest as it was given. */
export type WithDefaults<D, O> = Omit<O, keyof D> & {
  [K in keyof D]: K extends keyof O ? Exclude<O[K], undefined> | D[K] : D[K];
};

/**
 * Lays options over their defaults. A field given as `undefined` counts as not given, as in a parameter's own default.
 * @internal
 */
export function withDefaults<D extends object, O extends object>(
  defaults: D,
  options: O | undefined,
): WithDefaults<D, O> {
  const given = Object.entries(options ?? {}).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) } as WithDefaults<D, O>;
}
