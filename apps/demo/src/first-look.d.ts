declare module 'virtual:first-look' {
  import type { Face } from 'voxface/web';

  const faces: readonly (Pick<Face, 'box' | 'score' | 'confidence' | 'pose'> & {
    /** [68, 3] in pixels of the sample. */
    readonly points: readonly number[];
  })[];
  export default faces;
}
