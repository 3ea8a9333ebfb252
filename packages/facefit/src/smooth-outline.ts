/** Directions in which the outline is measured. */
const DIRECTIONS = 120;
/** Directions to each side whose smallest reach counts, then over how many the reach is averaged. */
const NARROW = 3;
const AVERAGE = 6;

/**
 * An outline without the steps of the grid it was measured on, nowhere outside the measured one by more than the
 * averaging makes it: neighbouring directions end on the same thing in the photo, hair and not now hair, now background.
 * @param measure distance from the middle to the outline along a unit direction of the photo, pixels.
 * @returns the same for any direction.
 */
export function smoothOutline(measure: (x: number, y: number) => number): (x: number, y: number) => number {
  const turn = (2 * Math.PI) / DIRECTIONS;
  const around = (values: readonly number[], k: number, width: number): number[] =>
    Array.from({ length: 2 * width + 1 }, (_, i) => values[(k + i - width + DIRECTIONS) % DIRECTIONS]);
  const measured = Array.from({ length: DIRECTIONS }, (_, k) =>
    measure(Math.cos(k * turn), Math.sin(k * turn)),
  );
  const narrow = measured.map((_, k) => Math.min(...around(measured, k, NARROW)));
  const smooth = narrow.map(
    (_, k) => around(narrow, k, AVERAGE).reduce((sum, value) => sum + value) / (2 * AVERAGE + 1),
  );
  return (x, y) => {
    const at = Math.atan2(y, x) / turn + DIRECTIONS;
    const k = Math.floor(at);
    const part = at - k;
    return (1 - part) * smooth[k % DIRECTIONS] + part * smooth[(k + 1) % DIRECTIONS];
  };
}
