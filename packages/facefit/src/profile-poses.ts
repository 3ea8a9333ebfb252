import type { HeadPose, Random } from '@voxface/landmarks';
import type { ProfilePose } from './profile-face.ts';

/** Where the poses of profiles come from. Degrees. */
export interface PoseDistribution {
  /** How many profiles per face, spread evenly between the face's own yaw and `maximumYaw`; or the yaws themselves. */
  yaws: number | readonly number[];
  maximumYaw: number;
  /** Lowest and highest pitch to draw from; null: the face's own. */
  pitch: readonly [from: number, to: number] | null;
  /** The same for roll. */
  roll: readonly [from: number, to: number] | null;
}

/**
 * Heads seen in photos look mostly ahead, up or down by a third of a right angle and rarely by half of one: pitch is
 * drawn from -40..50. Roll in the plane is what augmentation adds, so the face's own stays.
 */
export const POSE_DISTRIBUTION_DEFAULTS: PoseDistribution = {
  yaws: 8,
  maximumYaw: 90,
  pitch: [-40, 50],
  roll: null,
};

/**
 * Poses for the profiles of one face. Yaws: `profileYaws`, or the list that was given. Pitch and roll: each drawn from the
 * triangular distribution over its range whose peak is the face's own angle (clipped to the range).
 */
export function profilePoses(pose: HeadPose, distribution: PoseDistribution, random: Random): ProfilePose[] {
  const { yaws, maximumYaw, pitch, roll } = distribution;
  const list = typeof yaws === 'number' ? profileYaws(pose.yaw, yaws, maximumYaw, random) : yaws;
  return list.map((yaw) => ({
    yaw,
    ...(pitch && { pitch: triangular(random, pitch[0], pose.pitch, pitch[1]) }),
    ...(roll && { roll: triangular(random, roll[0], pose.roll, roll[1]) }),
  }));
}

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

/** Inverse of the triangular distribution function, at a uniform draw. */
function triangular(random: Random, from: number, peak: number, to: number): number {
  const mode = Math.min(to, Math.max(from, peak));
  const u = random.uniform(0, 1);
  const share = (mode - from) / (to - from);
  return u < share
    ? from + Math.sqrt(u * (to - from) * (mode - from))
    : to - Math.sqrt((1 - u) * (to - from) * (to - mode));
}
