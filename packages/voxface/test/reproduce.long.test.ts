import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findData } from '@voxface/test-utils/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFixtures } from './photos.ts';
import { run } from './run.ts';

let fixtures: Awaited<ReturnType<typeof createFixtures>>;
const before = process.cwd();
beforeAll(async () => {
  fixtures = await createFixtures();
  process.chdir(fixtures.root);
});
afterAll(() => {
  process.chdir(before);
  rmSync(fixtures.root, { recursive: true });
});

const aflw2000 = findData('aflw2000-3d-full');

/** A run of an experiment that has finished, with the weights of the fixture. */
function writeRun(name: string): void {
  const folder = join(fixtures.root, 'runs', name);
  mkdirSync(folder, { recursive: true });
  cpSync(fixtures.model, join(folder, 'best'), { recursive: true });
  writeFileSync(join(folder, 'finished'), '');
}

describe('reproduce', () => {
  test('300w: the published lines, then the own one with its difference from the last', async () => {
    const flags = ['--root', fixtures.at('annotated'), '--model', fixtures.model, '--backend', 'cpu'];
    const { code, output } = await run('reproduce', '300w', ...flags);
    expect(code).toBe(0);
    expect(output).toContain('| SPIGA | 2.59 | 4.66 | 2.99 |');
    // No face of the fixture is of a part of 300W.
    expect(output).toMatch(/\| \*\*\S+\*\* \| - \| - \| \d+\.\d\d( \([+-]\d+\.\d\d\))? \|/);
  });

  test.skipIf(aflw2000 === undefined)('table9: a row per run, each against its own line', async () => {
    writeRun('table9-one-stage-tiny-0');
    writeRun('table9-two-stage-tiny-0');
    const flags = ['--root', aflw2000!, '--size', 'tiny', '--limit', '2', '--backend', 'cpu'];
    const { code, output, errors } = await run('reproduce', 'table9', ...flags);
    expect(errors).not.toMatch(/voxface:/);
    expect(code).toBe(0);
    const [one, two] = ['one', 'two'].map((name) =>
      new RegExp(`table9-${name}-stage\\*\\* \\| (\\S+) \\(([+-]\\S+)\\)`).exec(output)!.slice(1).map(Number),
    );
    expect(one[0] - one[1]).toBeCloseTo(5.82, 1);
    expect(two[0] - two[1]).toBeCloseTo(4.25, 1);
    expect(output).toContain('Only the first 2 faces');
  });

  test('figures 10 and 11 from the logs of runs', async () => {
    const folder = fixtures.at('logged');
    mkdirSync(folder, { recursive: true });
    const step = (n: number) => ({
      type: 'step',
      step: n,
      losses: { real: 2 / n, fake: 1 / n },
      gap: 0.4 / n,
      mu: 0.1,
    });
    const evaluation = {
      type: 'evaluation',
      step: 2,
      results: [{ dataset: 'faces', nme: 0.05, nme3d: 0.06 }],
    };
    writeFileSync(
      join(folder, 'log.jsonl'),
      [step(1), step(2), evaluation].map((r) => JSON.stringify(r)).join('\n'),
    );
    for (const figure of ['figure10', 'figure11']) {
      const { code } = await run('reproduce', figure, '--runs', folder, '--out', fixtures.at('figures'));
      expect(code).toBe(0);
      expect(existsSync(fixtures.at(`figures/${figure}.png`))).toBe(true);
    }
    const svg = readFileSync(fixtures.at('figures/figure11.svg'), 'utf8');
    for (const label of ['γ L_real − L_fake', 'L_real', 'L_fake', 'logged']) expect(svg).toContain(label);
    expect(readFileSync(fixtures.at('figures/figure10.svg'), 'utf8')).toContain('3D NME, faces');
  });

  test('figure1 draws photo, stages and shape', async () => {
    const flags = [
      '--root',
      fixtures.at('annotated'),
      '--model',
      fixtures.model,
      '--out',
      fixtures.at('figures'),
    ];
    const { code, output } = await run('reproduce', 'figure1', ...flags);
    expect(output).toContain('figure1.svg');
    expect(code).toBe(0);
    const svg = readFileSync(fixtures.at('figures/figure1.svg'), 'utf8');
    for (const label of ['photo', 'stage 1, G', 'stage 2, G', 'shape, P']) expect(svg).toContain(label);
  });

  test.each([
    [['table11'], /expected one of table1, .*figure11, got table11/],
    [['table3', '--model', 'small'], /--root: the folder of the test set \(aflw2000-3d\) is needed/],
    [['table8', '--no-train', '--root', '.', '--size', 'tiny'], /runs\/table8-baseline-tiny-0 is needed/],
    [['figure11', '--runs', 'nowhere'], /nowhere: not a training run/],
  ])('%j is a wrong argument', async (args, message) => {
    const { code, errors } = await run('reproduce', ...args);
    expect(errors).toMatch(message);
    expect(code).toBe(2);
  });
});
