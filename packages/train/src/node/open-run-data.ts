import type { FaceShapeModelOptions } from '@voxface/models';
import type { TrainingConfig } from '../config.ts';
import type { RunData } from '../create-run.ts';
import { openDataSpec, openTrainingData } from './open-data.ts';

/** Opens all sets of a run and logs their sizes. */
export async function openRunData(config: TrainingConfig, log: (line: string) => void): Promise<RunData> {
  const { train3d, train2d, validation } = config.data;
  const data: RunData = {
    train3d: await openTrainingData(train3d, 3),
    train2d: await openTrainingData(train2d, 2),
    validation: await Promise.all(validation.map(openDataSpec)),
  };
  const count = (dataset?: { length: number }) => dataset?.length ?? 0;
  log(
    `data: ${count(data.train3d)} 3D and ${count(data.train2d)} 2D training samples, ${data.validation.map((d) => `${d.length} of ${d.name}`).join(', ') || 'no validation'}`,
  );
  return data;
}

/**
 * Schemes are compared by count and name: 68 points of another scheme would train without complaint.
 * @throws RangeError when a set does not have the model's landmarks.
 */
export function checkLandmarks(options: FaceShapeModelOptions, data: RunData): void {
  for (const dataset of [data.train3d, data.train2d, ...data.validation]) {
    if (dataset === undefined) continue;
    const { count, name } = dataset.scheme;
    if (count !== options.landmarks || name !== options.scheme) {
      throw new RangeError(
        `runTraining: the model has ${options.landmarks} landmarks of ${options.scheme}, ${dataset.name} has ${count} of ${name} (set model.landmarks and model.scheme, or convert the data)`,
      );
    }
  }
}
