import { existsSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { microConfig } from '../../train/test/helpers/packed-faces.ts';
import { expectFailure, picture, ptsOf, writeFiles } from './annotated-folder.ts';
import { run } from './run.ts';

const roots: string[] = [];
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true });
});

/** Writes a configuration (or any text) and runs `voxface train` on it. */
async function train(config: unknown, ...flags: string[]) {
  const root = writeFiles({ 'config.json': typeof config === 'string' ? config : JSON.stringify(config) });
  roots.push(root);
  return run('train', join(root, 'config.json'), ...flags);
}

const one = { stages: [{ kind: 'finetune' as const, steps: 1 }], evaluateEvery: 1, checkpointEvery: 1 };

describe('train', () => {
  test.each([
    ['a file that is no JSON', 'name: run', /config\.json: not a readable JSON file/],
    [
      'an unknown field',
      { name: 'a', output: 'x', data: {}, stages: [{ kind: 'finetune', steps: 1 }], learnRate: 1 },
      /parseTrainingConfig: .*learnRate/,
    ],
    [
      'a wrong value',
      { name: 'a', output: 'x', data: {}, stages: [{ kind: 'guess', steps: 1 }] },
      /parseTrainingConfig: .*stages/,
    ],
  ])('%s is a bad argument', async (_, config, message) => {
    expectFailure(await train(config), 2, message);
  });

  test('a configuration that does not exist, and a wrong number of workers', async () => {
    expectFailure(await run('train', 'nowhere.json'), 2, /nowhere\.json: not a readable JSON file/);
    const config = await microConfig(one);
    expectFailure(
      await train(config, '--workers', 'two'),
      2,
      /--workers: expected a positive whole number, got two/,
    );
  });

  test('--set moves the sets of a configuration, by name or by the last part of their root', async () => {
    const { data, ...config } = await microConfig(one);
    const spec = data.train3d![0];
    const gone = {
      train3d: [{ ...spec, root: 'sets/photos' }],
      validation: [{ ...spec, name: 'held', root: 'x' }],
    };
    const sets = ['--set', `photos=${spec.root}`, `held=${spec.root}`];
    const { code, output } = await train({ ...config, data: gone }, ...sets);
    expect([code, output]).toEqual([0, expect.stringContaining('data: 10 3D and 0 2D training samples')]);
    expectFailure(
      await train({ ...config, data: gone }, '--set', 'photo=x'),
      2,
      /--set: the configuration has the sets photos, held, got photo/,
    );
    expectFailure(
      await train({ ...config, data: gone }, '--set', 'photos'),
      2,
      /expected NAME=PATH, got photos/,
    );
  });

  test('missing data is named by its folder', async () => {
    const { data, ...config } = await microConfig(one);
    const gone = { ...data, train3d: [{ format: 'packed', root: 'no/such/set' }] };
    expectFailure(await train({ ...config, data: gone }), 1, /no\/such\/set/);
  });

  test('a missing morphable face is named by its folder', async () => {
    const { data, ...config } = await microConfig(one);
    const root = writeFiles({ 'a.jpg': await picture(), 'a.pts': ptsOf() });
    roots.push(root);
    const fitted = { format: '300w', root, fitDepth: { faceModel: 'no/such/face' } };
    expectFailure(
      await train({ ...config, data: { ...data, train3d: [fitted] } }),
      1,
      /got nothing at no\/such\/face/,
    );
  });

  test('resuming a folder without checkpoints is a bad argument and starts nothing', async () => {
    const config = await microConfig(one);
    const folder = `${config.output}-resumed`;
    const refused = await train(config, '--resume', folder);
    expectFailure(refused, 2, /--resume: .*got .*-resumed without any \(start without --resume: /);
    expect(existsSync(folder)).toBe(false);
    mkdirSync(join(folder, 'checkpoints'), { recursive: true });
    expectFailure(await train(config, '--resume', folder), 2, /--resume: .*without any/);
    expect(readdirSync(folder)).toEqual(['checkpoints']);
  });

  test('resuming names a truncated checkpoint, and fails when it is the only one', async () => {
    const config = await microConfig(one);
    await train(config);
    const checkpoints = join(config.output, 'checkpoints');
    const names = readdirSync(checkpoints).filter((name) => name.startsWith('step-'));
    expect(names).toEqual(['step-00000001.ckpt']);
    truncateSync(join(checkpoints, names[0]), 2000);
    const cut = await train(config, '--resume', config.output);
    expect(cut.output).toMatch(/step-00000001\.ckpt is truncated or damaged: its checksum does not match/);
    expectFailure(cut, 1, /takes a whole checkpoint, got none in .*checkpoints \(start the run without/);
  });

  test('a checkpoint of another model is refused with the way out', async () => {
    const config = await microConfig(one);
    await train(config);
    const { output, model, ...rest } = config;
    const other = { ...rest, output, model: { ...(model as object), features: 12 } };
    expectFailure(
      await train(other, '--resume', output),
      1,
      /has other shapes than this run's model \(resume with the configuration it was made with\)/,
    );
  });

  test('an output that is a file is named', async () => {
    const config = await microConfig(one);
    const root = writeFiles({ taken: '' });
    roots.push(root);
    expectFailure(await train({ ...config, output: join(root, 'taken') }), 1, /taken/);
  });
});

describe('plot', () => {
  test('a folder that is no run, and a damaged log', async () => {
    const root = writeFiles({ 'run/log.jsonl': '{"step":1,' });
    roots.push(root);
    mkdirSync(join(root, 'empty'));
    expectFailure(
      await run('plot', join(root, 'empty')),
      2,
      /empty: not a training run, it holds no log\.jsonl/,
    );
    writeFileSync(join(root, 'run/log.jsonl'), 'nothing of JSON\n');
    expectFailure(await run('plot', join(root, 'run')), 1, /log|JSON/);
  });

  test('two runs of one name are drawn into two folders', async () => {
    const log = [1, 2]
      .map((step) => JSON.stringify({ type: 'step', step, losses: { volume: step } }))
      .join('\n');
    const root = writeFiles({ 'a/run/log.jsonl': log, 'b/run/log.jsonl': log });
    roots.push(root);
    const out = join(root, 'drawn');
    expect((await run('plot', join(root, 'a/run'), join(root, 'b/run'), '--out', out)).code).toBe(0);
    for (const name of ['a-run', 'b-run']) expect(existsSync(join(out, name, 'curves.svg'))).toBe(true);
  });
});
