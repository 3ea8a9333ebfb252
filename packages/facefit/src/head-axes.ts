/**
 * Refuses a face whose landmarks do not lie as a face's do in head axes (x to the picture's right, y down, z into the
 * head): the subject's right eye left of the left one, the chin below the nose bridge, the nose tip before the ends
 * of the jaw. Catches mirrored or turned axes, and lists of landmarks of another order or numbering.
 * @param mean [v, 3].
 * @param landmarks [68] vertices.
 */
export function checkHeadAxes(mean: Float32Array, landmarks: ArrayLike<number>, where: string): void {
  const at = (landmark: number, axis: number): number => mean[3 * landmarks[landmark] + axis];
  const rules: readonly [string, boolean][] = [
    ['landmark 36 (right eye) left of 45 (left eye)', at(36, 0) < at(45, 0)],
    ['landmark 0 (right end of the jaw) left of 16', at(0, 0) < at(16, 0)],
    ['landmark 8 (chin) below 27 (nose bridge)', at(8, 1) > at(27, 1)],
    ['landmark 30 (nose tip) before 0 and 16 (ends of the jaw)', at(30, 2) < Math.min(at(0, 2), at(16, 2))],
  ];
  const broken = rules.find(([, holds]) => !holds);
  if (broken) {
    throw new Error(
      `checkHeadAxes: expected ${broken[0]}, got otherwise in ${where} (other axes? a list of landmarks in another order, or counted from 1?)`,
    );
  }
}
