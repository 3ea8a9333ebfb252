import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Evaluation, formatReport } from '@voxface/metrics';
import { cedSvg } from '@voxface/plots';
import { renderPng } from '@voxface/plots/node';
import { toPercentJson } from './format-evaluation.ts';

const WORST = 10;

/** Writes `report.md`, `report.json` and the CED curve of one evaluation. */
export async function writeReport(
  directory: string,
  evaluation: Evaluation,
  dataset: string,
  model: string,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const errors = evaluation.perImage.map((image) => image.nme ?? Number.POSITIVE_INFINITY);
  const curve = await cedSvg([{ name: model, errors }], { limit: evaluation.limit });
  await writeFile(join(directory, 'ced.svg'), curve);
  await writeFile(join(directory, 'ced.png'), await renderPng(curve));
  const json = toPercentJson(evaluation, dataset, model);
  await writeFile(join(directory, 'report.json'), `${JSON.stringify(json, null, 1)}\n`);
  const worst = [...evaluation.perImage]
    .sort((a, b) => (b.nme ?? Infinity) - (a.nme ?? Infinity))
    .slice(0, WORST);
  const rows = worst.map(({ id, nme }) => `| ${id} | ${nme === null ? 'missed' : (100 * nme).toFixed(2)} |`);
  await writeFile(
    join(directory, 'report.md'),
    `# ${model} on ${dataset}

${formatReport([{ method: model, evaluation }])}

![cumulative error distribution](ced.svg)

Worst faces:

| face | NME % |
|---|---|
${rows.join('\n')}
`,
  );
  console.log(`wrote ${directory}/report.md`);
}
