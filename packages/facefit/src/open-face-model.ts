import { readdir, stat } from 'node:fs/promises';
import type { FaceModel } from './face-model.ts';
import { openFaceKitArrays } from './open-face-kit-arrays.ts';
import { openFaceKitObj } from './open-face-kit-obj.ts';
import { type LinearBasisOptions, openLinearBasis } from './open-linear-basis.ts';

/**
 * Opens a 3D morphable face, whatever its files: the packed arrays of ICT-FaceKit Light (a folder with
 * `facekit.json`), its original `.obj` files, or a linear basis of your own (`openLinearBasis`: a BFM-like `.mat`, a
 * FLAME-like `.npz`, a folder of `.npy` arrays).
 * @param options for a basis of your own; ICT-FaceKit needs none.
 * @throws Error when there is nothing at `target`, or its files are not what they should be.
 */
export async function openFaceModel(target: string, options: LinearBasisOptions = {}): Promise<FaceModel> {
  const info = await stat(target).catch(() => undefined);
  if (!info) {
    throw new Error(
      `openFaceModel: expected a morphable face (ICT-FaceKit's folder, a .mat, .npz or folder of .npy), got nothing at ${target}`,
    );
  }
  if (info.isDirectory()) {
    const names = await readdir(target);
    if (names.includes('facekit.json')) return openFaceKitArrays(target);
    if (names.includes('generic_neutral_mesh.obj')) return openFaceKitObj(target);
    if (!names.some((name) => name.endsWith('.npy'))) {
      throw new Error(
        `openFaceModel: expected facekit.json, generic_neutral_mesh.obj or .npy arrays, got ${names.length} other files in ${target}`,
      );
    }
  }
  return openLinearBasis(target, options);
}
