import type { Random } from '@voxface/landmarks';

/**
 * Yaws for the profiles of one face: `count` steps between its own yaw and +-`maximum`, each moved by up to a third of
 * a step. A face already turned is only turned farther to its side; a nearly frontal one (|yaw| < 10) gets half of
 * its profiles on each side. No step is smaller than 5 degrees.
 * @param yaw of the face, degrees.
 * @returns at most `count` yaws, degrees.
 */
export function profileYaws(yaw: number, count: number, maximum: number, random: Random): number[] {
  const frontal = Math.abs(yaw) < 10;
  const yaws: number[] = [];
  for (const side of frontal ? [1, -1] : [Math.sign(yaw)]) {
    const share = frontal ? (side === 1 ? Math.ceil(count / 2) : Math.floor(count / 2)) : count;
    const from = Math.max(0, side * yaw);
    const steps = Math.min(share, Math.floor((maximum - from) / 5));
    for (let k = 1; k <= steps; k++) {
      const step = (maximum - from) / steps;
      const jitter = k === steps ? random.uniform(-1, 0) : random.uniform(-1, 1);
      yaws.push(side * Math.max(0, from + step * (k + jitter / 3)));
    }
  }
  return yaws;
}
