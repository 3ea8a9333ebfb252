/**
 * Compares the small runs of the paper's experiments: means per run, and paired differences with bootstrap intervals.
 * Prints the tables of docs/results.md.
 *
 *     node --conditions=voxface-source --import tsx packages/train/bench/compare-experiments.ts RUNS SETS [YOUTUBE]
 *
 * RUNS holds folders `NAME-SIZE-SEED` as `voxface train NAME --size SIZE --seed SEED` writes them, SETS the packed sets
 * `validation` and `validation-profiles`, YOUTUBE the test frames of youtube-keypoints (a folder with its CSV beside it).
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setupBackend } from '@voxface/backend';
import type { Dataset } from '@voxface/datasets';
import { pairedBootstrap } from '@voxface/metrics';
import { loadModel } from '@voxface/models/node';
import { type ImageErrors, measureModel } from '../src/evaluate.ts';
import { openDataSpec } from '../src/node.ts';

const [runs, sets, youtube] = process.argv.slice(2);
const PLAIN = { repeat: 1, every: 1, offset: 0 };
const TESTS = {
  'near-frontal': { ...PLAIN, format: 'packed', root: join(sets, 'validation') },
  profiles: { ...PLAIN, format: 'packed', root: join(sets, 'validation-profiles') },
  ...(youtube && {
    video: { ...PLAIN, format: 'keypoint-csv', root: `${youtube}_frames_keypoints.csv`, images: youtube },
  }),
} as const;

/** What the paper claims, and the two runs that test it. The first is the better one by the claim. */
const CLAIMS = [
  ['C1', 'two stages before one', 'table9-two-stage', 'table9-one-stage'],
  ['C2', 'sigma 1 before 0.5', 'table9-two-stage', 'table7-sigma0.5-sorted'],
  ['C5', '5 points: semantic before compact', 'table6-5-semantic', 'table6-5-compact'],
  ['C9', 'mix before 3D alone', 'table8-mix', 'table9-two-stage'],
  ['C10', 'adversarial before mix', 'table8-adversarial', 'table8-mix'],
  ['C11', 'adversarial before 3D alone', 'table8-adversarial', 'table9-two-stage'],
] as const;
type Measure = 'nme' | 'nme3d';
const MEASURES: [test: string, measure: Measure, title: string][] = [
  ['near-frontal', 'nme', 'near-frontal, 2D'],
  ['near-frontal', 'nme3d', 'near-frontal, 3D'],
  ['profiles', 'nme', 'profiles, 2D'],
  ['profiles', 'nme3d', 'profiles, 3D'],
  ...(youtube ? [['video', 'nme', 'video, 2D'] as [string, Measure, string]] : []),
];

const { name } = await setupBackend('auto');
console.error(`measuring on ${name}`);
const datasets = new Map<string, Dataset>();
/** Per run, e.g. `table8-mix 0`: test set -> errors. */
const measured = new Map<string, Map<string, ImageErrors[]>>();
for (const folder of readdirSync(runs).sort()) {
  const found = /^(.*)-(?:paper|small|tiny)-(\d+)$/.exec(folder);
  const model = found && (await loadModel(join(runs, folder, 'model')).catch(() => undefined));
  if (!found || !model) continue;
  const errors = new Map<string, ImageErrors[]>();
  for (const [test, spec] of Object.entries(TESTS)) {
    const scheme = model.options.scheme === 'ibug-68' ? undefined : model.options.scheme;
    const key = `${test} ${scheme}`;
    if (!datasets.has(key)) datasets.set(key, await openDataSpec({ ...spec, scheme } as never));
    errors.set(test, await measureModel(model, datasets.get(key)!));
  }
  measured.set(`${found[1]} ${found[2]}`, errors);
  model.dispose();
  console.error(folder);
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const percent = (value: number): string => (100 * value).toFixed(2);
const row = (cells: readonly string[]): void => console.log(`| ${cells.join(' | ')} |`);

row(['run', 'seed', ...MEASURES.map(([, , title]) => title)]);
row(['---', '---', ...MEASURES.map(() => '---')]);
for (const [run, errors] of measured) {
  row([
    ...run.split(' '),
    ...MEASURES.map(([test, measure]) => percent(mean(errors.get(test)!.map((image) => image[measure]!)))),
  ]);
}
console.log();
row(['claim', 'seeds', ...MEASURES.map(([, , title]) => title)]);
row(['---', '---', ...MEASURES.map(() => '---')]);
for (const [claim, text, first, second] of CLAIMS) {
  const seeds = [...measured.keys()]
    .filter((run) => run.startsWith(`${first} `))
    .map((run) => run.split(' ')[1])
    .filter((seed) => measured.has(`${second} ${seed}`));
  if (seeds.length === 0) continue;
  /** Errors per image, averaged over the seeds that both runs have. */
  const average = (run: string, test: string, measure: Measure): number[] => {
    const lists = seeds.map((seed) =>
      measured
        .get(`${run} ${seed}`)!
        .get(test)!
        .map((image) => image[measure]!),
    );
    return lists[0].map((_, i) => mean(lists.map((list) => list[i])));
  };
  const cells = MEASURES.map(([test, measure]) => {
    const { difference, low, high } = pairedBootstrap(
      average(first, test, measure),
      average(second, test, measure),
    );
    return `${percent(difference)} (${percent(low)} to ${percent(high)})`;
  });
  row([`${claim}: ${text}`, seeds.join(', '), ...cells]);
}
