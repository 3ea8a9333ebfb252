import { createLandmarks, createRandom } from '@voxface/landmarks';
import { bench, describe } from 'vitest';
import { cumulativeErrors, errorThresholds, evaluateProtocol, type ScoredFace } from '../src/index.ts';

const random = createRandom(1);
const faces: ScoredFace[] = Array.from({ length: 2000 }, (_, id) => {
  const points = Float32Array.from({ length: 204 }, () => random.uniform(0, 200));
  return {
    id: `face-${id}`,
    target: createLandmarks(points, 3),
    preds: createLandmarks(
      points.map((value) => value + 3 * random.normal()),
      3,
    ),
    yaw: random.uniform(-90, 90),
  };
});

describe('2000 faces of 68 landmarks with bins, AUC, failure rate and a CED of 1001 points', () => {
  for (const protocol of ['aflw2000-3d/68/2d', 'aflw2000-3d/68/3d']) {
    bench(protocol, () => {
      const { perImage } = evaluateProtocol(protocol, faces);
      cumulativeErrors(
        perImage.map(({ nme }) => nme as number),
        errorThresholds(0.1, 1001),
      );
    });
  }
});
