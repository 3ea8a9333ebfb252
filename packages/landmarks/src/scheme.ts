/** An annotation scheme as data: what each landmark is, and how landmarks relate. Indices are 0-based. */
export interface LandmarkScheme {
  /** Short identifier, such as `ibug-68`. */
  readonly name: string;
  /** Number of landmarks n. */
  readonly count: number;
  /** One name per landmark, in index order. */
  readonly names: readonly string[];
  /** Pairs that change places when the face is mirrored; landmarks in no pair lie on the face's midline. */
  readonly mirrorPairs: readonly (readonly [number, number])[];
  /** Indices of the outer eye corners [viewer's left, viewer's right]. */
  readonly outerEyeCorners: readonly [number, number];
  /** Index lists by facial part, in drawing order. */
  readonly groups: Readonly<Record<string, readonly number[]>>;
}
