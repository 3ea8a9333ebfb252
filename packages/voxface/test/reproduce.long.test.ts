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

  describe('on faces with 3D landmarks', () => {
    beforeAll(async () => {
      // 3DFAW's layout: 66 rows of x, y, z; the nose nearer to the camera than the jaw.
      mkdirSync(fixtures.at('3d'));
      for (const id of ['a', 'b']) {
        cpSync(fixtures.at('good.jpg'), fixtures.at(`3d/${id}.jpg`));
        const rows = Array.from(
          { length: 66 },
          (_, i) => `${12 + (i % 9) * 4} ${10 + Math.floor(i / 9) * 3} ${i < 17 ? -9 : 4}`,
        );
        writeFileSync(fixtures.at(`3d/${id}.txt`), rows.join('\n'));
      }
      const converted = await run('data', 'convert', '3d', 'packed3d', '--kind', '3dfaw');
      expect(converted.code).toBe(0);
    });

    test('figure2: shape, volumes, the heatmap of Eq. 4 and a colour for each index', async () => {
      const flags = ['--root', 'packed3d', '--out', fixtures.at('figures')];
      expect((await run('reproduce', 'figure2', ...flags)).code).toBe(0);
      const svg = readFileSync(fixtures.at('figures/figure2.svg'), 'utf8');
      const bars = [...svg.matchAll(/class="bar"[^>]* fill="(rgb[^"]+)"/g)].map((match) => match[1]);
      expect(bars).toHaveLength(66);
      expect([bars[0], bars[22], bars[44]]).toEqual(['rgb(255,0,0)', 'rgb(0,255,0)', 'rgb(0,0,255)']);
      // Landmark 0 is at the left edge of its box: 1 / 1.25 of the crop's side, so cell 0.1 * 64 - 0.5 and beside it.
      const cells = [...svg.matchAll(/class="cell" x="(\d+)" y="(\d+)"[^>]* fill="(rgb[^"]+)"/g)];
      const left = Math.min(...cells.map(([, x]) => Number(x)));
      const own = cells.filter(([, x, , fill]) => Number(x) === left + 3 && /rgb\(\d+,0,0\)/.test(fill));
      expect(own.length).toBeGreaterThan(0);
      for (const label of ['face shape', 'compact volume', 'semantic volume', 'semantic heatmap', 'colour'])
        expect(svg).toContain(label);
    });

    test.each([
      ['figure5', '3d'],
      ['figure6', 'packed3d'],
    ])('%s: the truth in red beside every prediction', async (figure, root) => {
      const flags = ['--root', root, '--model', fixtures.model, '--out', fixtures.at('figures')];
      expect((await run('reproduce', figure, ...flags)).code).toBe(0);
      const svg = readFileSync(fixtures.at(`figures/${figure}.svg`), 'utf8');
      expect(svg.match(/class="truth"/g)).toHaveLength(2 * 66);
      expect(svg.match(/class="landmark" data-landmark/g)).toHaveLength(2 * 68);
      expect(svg.match(/class="cloud"/g)).toHaveLength(2);
      expect(svg.match(/href="data:image\/jpeg/g)).toHaveLength(2);
    });

    test('figures 2 and 6 want depth', async () => {
      for (const figure of ['figure2', 'figure6']) {
        const { code, errors } = await run('reproduce', figure, '--root', fixtures.at('annotated'));
        expect(errors).toMatch(/expected a dataset with 3D landmarks, got 2D ones/);
        expect(code).toBe(2);
      }
    });
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
