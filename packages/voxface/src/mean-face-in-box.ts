import { type Box, boxOf, type Landmarks, MEAN_FACE_68 } from '@voxface/landmarks';

/** The mean face, frontal, scaled to a box's area and centred in it: what any model must beat. */
export function meanFaceInBox(box: Box): Landmarks<3> {
  const mean = boxOf(MEAN_FACE_68);
  const scale = Math.sqrt((box.width * box.height) / (mean.width * mean.height));
  const center = [box.x + box.width / 2, box.y + box.height / 2, 0];
  const middle = [mean.x + mean.width / 2, mean.y + mean.height / 2, 0];
  return { points: MEAN_FACE_68.points.map((v, i) => (v - middle[i % 3]) * scale + center[i % 3]), dims: 3 };
}
