import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { cedSvg, curvePanelsSvg, parseTrainingLog, trainingCurvesSvg } from '../src/index.ts';

describe('cedSvg', () => {
  it('draws exact steps: a third of the images at or under 1 %', async () => {
    const svg = await cedSvg([{ name: 'one', errors: [0.01, 0.03, Infinity] }], {
      limit: 0.04,
      width: 400,
      height: 300,
    });
    expect(svg).toContain('one (mean 2.00 %)');
    const path = /aria-roledescription="line mark"[^>]*d="([^"]+)"|d="(M0,300[^"]+)"/.exec(svg)!;
    const corners = (path[1] ?? path[2]).match(/-?[\d.]+,-?[\d.]+/g)!.map((c) => c.split(',').map(Number));
    const has = (x: number, y: number) =>
      corners.some(([a, b]) => Math.abs(a - x) < 0.01 && Math.abs(b - y) < 0.01);
    expect(has(0, 300)).toBe(true);
    expect(has(100, 200)).toBe(true);
    expect(has(300, 100)).toBe(true);
    expect(has(400, 100)).toBe(true);
  });

  it('escapes names and refuses broken input', async () => {
    expect(await cedSvg([{ name: '<b>', errors: [0.1] }])).toContain('&lt;b&gt;');
    await expect(cedSvg([])).rejects.toThrow(/at least one curve, got none/);
    await expect(cedSvg([{ name: 'x', errors: [] }])).rejects.toThrow(/got none in x/);
    await expect(cedSvg([{ name: 'x', errors: [Number.NaN] }])).rejects.toThrow(/got NaN in x/);
  });
});

const lines = [
  { type: 'start', step: 0, note: 'x' },
  {
    type: 'step',
    step: 1,
    losses: { volume: 4, real: 2, fake: 1 },
    mu: 0.1,
    gap: 0.4,
    learningRate: 1e-3,
  },
  {
    type: 'step',
    step: 2,
    losses: { volume: 2, real: 1, fake: 1 },
    mu: 0.2,
    gap: -0.3,
    learningRate: 1e-3,
  },
  { type: 'evaluation', step: 2, results: [{ dataset: 'a set', count: 3, nme: 0.042 }] },
];

describe('training curves', () => {
  const text = lines.map((l) => JSON.stringify(l)).join('\n');

  it('reads a log whose last line was cut off, and names a broken one before it', () => {
    expect(parseTrainingLog(`${text}\n{"type":"st`)).toHaveLength(4);
    expect(() => parseTrainingLog(`{"type":"st\n${text}`)).toThrow(/got "{\\"type\\":\\"st" at line 1/);
  });

  it('draws a panel for each quantity in the log and none for others', async () => {
    const svg = await trainingCurvesSvg(parseTrainingLog(text), { title: 'run & more' });
    for (const title of [
      'Volume loss',
      'Reconstruction',
      'γ real − fake',
      'μ (Eq. 12)',
      'NME (%)',
      'Learning rate',
    ]) {
      expect(svg).toContain(title);
    }
    expect(svg).toContain('run &amp; more');
    expect(svg).not.toContain('Coordinate loss');
  });

  it('refuses a log without numbers', async () => {
    await expect(trainingCurvesSvg([])).rejects.toThrow(/got 0 records without any/);
  });
});

describe('charts under a policy without eval', () => {
  it('are drawn, every kind, and look the same', async () => {
    const script = `
      import { cedSvg, trainingCurvesSvg } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};
      let forbidden = false;
      try { new Function('return 1')(); } catch { forbidden = true; }
      const ced = await cedSvg([{ name: 'a', errors: [0.01, 0.02] }], { limit: 0.08 });
      const curves = await trainingCurvesSvg(${JSON.stringify(lines)});
      process.stdout.write(JSON.stringify({ forbidden, ced, curves }));`;
    const flags = [
      '--disallow-code-generation-from-strings',
      '--conditions=voxface-source',
      '--import',
      'tsx',
    ];
    const said = execFileSync(process.execPath, [...flags, '--input-type=module', '-e', script], {
      cwd: fileURLToPath(new URL('../../..', import.meta.url)),
      encoding: 'utf8',
      maxBuffer: 1e8,
    });
    const { forbidden, ced, curves } = JSON.parse(said);
    expect(forbidden).toBe(true);
    const here = await cedSvg([{ name: 'a', errors: [0.01, 0.02] }], { limit: 0.08 });
    const withoutIds = (svg: string): string => svg.replace(/clip\d+/g, 'clip');
    expect(withoutIds(ced) === withoutIds(here)).toBe(true);
    expect(curves).toContain('NME (%)');
  });
});

describe('curvePanelsSvg', () => {
  it('draws every curve of every panel, and averages long ones', async () => {
    const long = Array.from({ length: 1000 }, (_, i): [number, number] => [i + 1, i]);
    const panels = [
      {
        title: 'one panel',
        x: 'stacks',
        y: 'NME (%)',
        dots: true,
        curves: [
          {
            name: 'first',
            points: [
              [1, 4],
              [2, 3],
            ],
          },
        ],
      },
      {
        title: 'another',
        x: 'step',
        curves: [
          { name: 'long', points: long },
          { name: 'flat', points: [[1, 1]] },
        ],
      },
    ] as const;
    const svg = await curvePanelsSvg(panels, { points: 10 });
    for (const label of ['one panel', 'another', 'stacks', 'NME (%)', 'long', 'flat'])
      expect(svg).toContain(label);
    const corners = [...svg.matchAll(/aria-roledescription="line mark"[^>]*d="([^"]+)"/g)].map(
      ([, d]) => d.split(/[ML]/).length - 1,
    );
    expect(Math.max(...corners)).toBe(10);
  });

  it('refuses a panel without points', async () => {
    await expect(curvePanelsSvg([{ title: 'empty', x: 'step', curves: [] }])).rejects.toThrow(
      /got none in 'empty'/,
    );
  });
});
