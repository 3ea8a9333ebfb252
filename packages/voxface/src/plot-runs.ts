import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseTrainingLog, trainingCurvesSvg } from '@voxface/plots';
import { renderPng } from '@voxface/plots/node';
import { drawPredictionSheets } from './draw-prediction-sheets.ts';
import { UsageError } from './errors.ts';

/** Draws `curves.svg` and `.png` for each run, and prediction sheets where photos are given. */
export async function plotRuns(
  runs: readonly string[],
  flags: { out?: string; photos?: string },
): Promise<void> {
  for (const run of runs) {
    const log = join(run, 'log.jsonl');
    if (!existsSync(log)) throw new UsageError(`${run}: not a training run, it holds no log.jsonl`);
    const out = flags.out ? join(flags.out, basename(run)) : run;
    await mkdir(out, { recursive: true });
    const svg = await trainingCurvesSvg(parseTrainingLog(await readFile(log, 'utf8')), {
      title: basename(run),
    });
    await writeFile(join(out, 'curves.svg'), svg);
    await writeFile(join(out, 'curves.png'), await renderPng(svg));
    console.log(`wrote ${join(out, 'curves.svg')} and .png`);
    if (flags.photos) console.log(`wrote ${(await drawPredictionSheets(run, flags.photos, out)).join(', ')}`);
  }
}
