import { describe, expect, it } from 'vitest';
import type { TrainingConfigInput } from '../src/config.ts';
import { parseTrainingConfig, trainingConfigJsonSchema } from '../src/parse-config.ts';

const GOOD: TrainingConfigInput = {
  $schema: '../training-config.schema.json',
  name: 'run',
  output: 'runs/run',
  data: { train3d: [{ format: 'packed', root: 'set' }] },
  stages: [{ kind: 'pretrain', steps: 10 }],
};

describe('a configuration', () => {
  it('may name its schema, which is dropped', () => {
    expect(parseTrainingConfig(GOOD)).not.toHaveProperty('$schema');
  });

  it.each([
    [{ batchsize: 3 }, 'batchsize: no such field (did you mean batchSize?)'],
    [{ learning_rate: { initial: 1 } }, 'learning_rate: no such field (did you mean learningRate?)'],
    [{ stages: [{ kind: 'pretrian', steps: 1 }] }, 'got "pretrian" (did you mean pretrain?)'],
    [{ stages: [{ kind: 'mixed', step: 1 }] }, 'stages.0.step: no such field (did you mean steps?)'],
    [{ data: { train3D: [] } }, 'data.train3D: no such field (did you mean train3d?)'],
    [
      { data: { train3d: [{ format: '300W-LP ', root: 'x' }] } },
      'data.train3d.0.format: expected one of packed, 300w, 300w-lp, aflw2000-3d, aflw, wflw, keypoint-csv, merl-rav, coco, jvcr-json, 3dfaw, webdataset, got "300W-LP " (did you mean 300w-lp?)',
    ],
    [
      { data: { train3d: [{ format: 'packed', path: 'x', root: 'y' }] } },
      'data.train3d.0.path: no such field (known here: format, name, root, images, split,',
    ],
    [{ augmentation: { rotaton: 3 } }, 'augmentation.rotaton: no such field (did you mean rotation?)'],
    [{ augmentation: { rotation: -3 } }, 'augmentation.rotation: Too small'],
    [{ average: { decay: 1, evry: 3 } }, 'average.evry: no such field (did you mean every?)'],
    [{ backend: 'wsam' }, 'node-gpu, current, got "wsam" (did you mean wasm?)'],
    [{ backend: 3 }, 'got 3'],
  ])('with %j is refused in words', (change, text) => {
    const message = messageOf({ ...GOOD, ...change });
    expect(message).toMatch(/^parseTrainingConfig: configuration has \d errors: /);
    expect(message).toContain(text);
  });
});

function messageOf(value: unknown): string {
  try {
    parseTrainingConfig(value);
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
}

describe('the published JSON schema', () => {
  it('is that of the program (npx vitest run -u writes it)', async () => {
    const text = `${JSON.stringify(trainingConfigJsonSchema(), null, 2)}\n`;
    await expect(text).toMatchFileSnapshot('../training-config.schema.json');
  });

  it('describes every field of a data source, and asks for no field that has a default', () => {
    const { properties, required } = trainingConfigJsonSchema() as {
      properties: {
        data: {
          properties: { train2d: { items: { properties: Record<string, { description?: string }> } } };
        };
      };
      required: string[];
    };
    expect(required).toEqual(['name', 'output', 'data', 'stages']);
    const source = properties.data.properties.train2d.items.properties;
    expect(
      Object.entries(source)
        .filter(([, { description }]) => !description)
        .map(([name]) => name),
    ).toEqual(['offset']);
  });
});
