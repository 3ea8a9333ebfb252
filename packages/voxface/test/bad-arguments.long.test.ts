import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setupBackend } from '@voxface/backend';
import { createFaceShapeModel, presetOptions } from '@voxface/models';
import { saveModel } from '@voxface/models/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectFailure } from './annotated-folder.ts';
import { createFixtures } from './photos.ts';
import { run } from './run.ts';

let fixtures: Awaited<ReturnType<typeof createFixtures>>;
beforeAll(async () => {
  fixtures = await createFixtures();
});
afterAll(() => rmSync(fixtures.root, { recursive: true }));

describe('export', () => {
  test.each([
    [['--model', 'nothing'], /--model: expected a pretrained name .*; got nothing/],
    [['--to', 'keras'], /--to <form>.* Allowed choices are onnx, tfjs, file/],
    [['--precision', 'int4'], /--precision <kind>.* Allowed choices are float32, float16, int8, uint8/],
    [
      ['--to', 'onnx', '--precision', 'uint8'],
      /--precision: --to onnx takes float32, float16 or int8, got uint8/,
    ],
  ])('%j is refused with its rule', async (flags, message) => {
    expectFailure(await run('export', fixtures.at('out.onnx'), ...flags), 2, message);
  });

  test('a folder that is no model and a damaged model are named', async () => {
    expectFailure(
      await run('export', fixtures.at('out.onnx'), '--model', fixtures.at('empty')),
      2,
      /--model: .*empty holds no voxface\.json/,
    );
    const weights = readFileSync(join(fixtures.model, 'voxface.json'), 'utf8');
    writeFileSync(join(fixtures.model, 'voxface.json'), weights.slice(0, weights.length >> 1));
    const result = await run('export', fixtures.at('out'), '--model', fixtures.model, '--to', 'tfjs');
    writeFileSync(join(fixtures.model, 'voxface.json'), weights);
    expectFailure(result, 1, /voxface\.json/);
  });
});

describe('conformance and bench', () => {
  test.each([
    [['conformance', '--backend', 'abacus'], /--backend: expected one of .*got abacus/],
    [['bench', 'guess'], /bench: expected some of .*models.*, got guess/],
    [['bench', 'photos', '--models', 'smal'], /--models: expected .*small.*paper.*, got smal$/m],
    [['bench', '--models', 'small,'], /--models: expected .*, got $/m],
    [['bench', '--backends', 'onnx,abacus'], /--backends: expected some of onnx, .*wasm.*, got abacus/],
    [['bench', '--rounds', 'many'], /--rounds: expected a positive .*number, got many/],
  ])('%j is refused with its rule', async (args, message) => {
    expectFailure(await run(...args), 2, message);
  });
});

describe('evaluate', () => {
  const set = (root: string): string[] => ['evaluate', '--dataset', '300w', '--root', root];

  test('needs a dataset, and names the one that is missing', async () => {
    expectFailure(await run('evaluate', '--dataset', '300w'), 2, /--root: the folder .* is needed, got none/);
    const missing = await run(...set(fixtures.at('nowhere')), '--mean-shape');
    expectFailure(missing, 2, /no such file or folder: .*nowhere/);
    const empty = await run(...set(fixtures.at('empty')), '--mean-shape');
    expectFailure(empty, 2, /the folder .*empty is empty, expected a dataset/);
    const unknown = await run('evaluate', '--dataset', 'lfw', '--root', fixtures.at('annotated'));
    expectFailure(unknown, 2, /--dataset: expected one of .*300w.*, got lfw/);
  });

  test('a model of other landmarks than the dataset is named with both numbers', async () => {
    await setupBackend('cpu');
    const model = createFaceShapeModel({ ...presetOptions('tiny'), landmarks: 21, scheme: 'aflw-21' });
    await saveModel(model, fixtures.at('model-21'));
    model.dispose();
    const flags = ['--model', fixtures.at('model-21'), '--backend', 'cpu'];
    expectFailure(await run(...set(fixtures.at('annotated')), ...flags), 1, /a: .*68.* landmarks, got 21/);
  });

  test('a model of other landmarks than the protocol is refused', async () => {
    const result = await run(
      'evaluate',
      '--dataset',
      '300w',
      '--root',
      fixtures.at('annotated'),
      '--mean-shape',
      '--protocol',
      'aflw/21',
    );
    expect(result.code).not.toBe(0);
    expectFailure(result, result.code, /--protocol|landmarks/);
  });
});

describe('localize', () => {
  test('a folder with one bad file is still done, and missing arguments are named', async () => {
    const out = fixtures.at('mixed');
    const flags = ['--model', fixtures.model, '--backend', 'cpu', '--box', '12,8,30,28', '--out', out];
    const result = await run('localize', fixtures.at('annotated'), fixtures.at('text.jpg'), ...flags);
    expectFailure(result, 1, /text\.jpg: .*expected a whole JPEG/);
    expect(result.output).toMatch(/3 photos, 3 faces, .*1 failed/);
    expectFailure(await run('localize', '--out', out), 2, /missing required argument 'photos'/);
    expectFailure(
      await run('localize', fixtures.at('good.jpg')),
      2,
      /required option '-o, --out <dir>' not specified/,
    );
  });
});
