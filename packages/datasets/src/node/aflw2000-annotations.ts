import path from 'node:path';
import { AFLW_21, createLandmarks, type Landmarks } from '@voxface/landmarks';
import { convertPoints68 } from './open-aflw2000-3d.ts';
import { readNpy } from './read-npy.ts';

/** The ground truths of all 2000 faces as 3DDFA publishes them, converted to house axes; row i is face i. */
export interface Aflw2000Annotations {
  /** [68, 3] each, z with zero mean. */
  readonly points68: readonly Landmarks<3>[];
  /** [68, 2] each: the second annotation, which differs by 3.1 % NME from the first. */
  readonly reannotated: readonly Landmarks<2>[];
  /** The up to 21 visible points of AFLW; hidden ones are masked and lie at 0, 0. */
  readonly points21: readonly { readonly landmarks: Landmarks<2>; readonly visible: Uint8Array }[];
  /** Degrees, house sign, from the fitted pose (beyond +-90 for a few). */
  readonly yaw: Float64Array;
  /** Degrees, |yaw| of AFLW's own pose: the split "as in the paper". */
  readonly absoluteYaw: Float64Array;
}

/**
 * Reads the `.npy` files of 3DDFA's `test.configs` (`AFLW2000-3D.pts68.npy` and so on).
 * @throws Error naming the file that is missing or of another shape.
 */
export async function readAflw2000Annotations(folder: string): Promise<Aflw2000Annotations> {
  const read = async (name: string, shape: readonly number[]): Promise<Float64Array> => {
    const file = path.join(folder, name);
    const array = await readNpy(file);
    if (array.shape.length !== shape.length || shape.some((n, i) => array.shape[i] !== n)) {
      throw new Error(`readAflw2000Annotations: expected [${shape}], got [${array.shape}] in ${file}`);
    }
    return array.data;
  };
  const count = 2000;
  const points68 = await read('AFLW2000-3D.pts68.npy', [count, 3, 68]);
  const again = await read('AFLW2000-3D-Reannotated.pts68.npy', [count, 2, 68]);
  const points21 = await read('AFLW2000-3D.pts21.npy', [count, 2, 21]);
  const yaw = await read('AFLW2000-3D.pose.npy', [count]);
  const rows = Array.from({ length: count }, (_, row) => row);
  return {
    points68: rows.map((row) => convertPoints68(interleave(points68, row, 3, 68), `row ${row}`)),
    reannotated: rows.map((row) =>
      createLandmarks(
        interleave(again, row, 2, 68).map((value) => value - 1),
        2,
      ),
    ),
    points21: rows.map((row) => {
      const raw = interleave(points21, row, 2, AFLW_21.count);
      const visible = Uint8Array.from({ length: AFLW_21.count }, (_, i) => (raw[2 * i] === -1 ? 0 : 1));
      return {
        landmarks: createLandmarks(
          raw.map((value, k) => (visible[k >> 1] ? value - 1 : 0)),
          2,
        ),
        visible,
      };
    }),
    yaw: yaw.map((value) => -value),
    absoluteYaw: await read('AFLW2000-3D-new.pose.npy', [count]),
  };
}

/** Row of [count, dims, n] as [n, dims]. */
function interleave(data: Float64Array, row: number, dims: number, n: number): Float64Array {
  return Float64Array.from(
    { length: dims * n },
    (_, k) => data[(row * dims + (k % dims)) * n + Math.floor(k / dims)],
  );
}
