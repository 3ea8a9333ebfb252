import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset } from '@voxface/datasets';
import { boxOf, countLandmarks, type Landmarks, type Pixels } from '@voxface/landmarks';
import {
  type Evaluation,
  findProtocol,
  formatReport,
  type ImageError,
  pairedBootstrap,
} from '@voxface/metrics';
import type { CurvePanel } from '@voxface/plots';
import { truthBox } from './prediction-source.ts';

/** Result of one system. */
export interface SystemResult {
  readonly model: string;
  readonly evaluation: Evaluation;
  /** Mean error of each scored landmark, fractions; null where no face shows it. */
  readonly perLandmark: readonly (number | null)[];
  /** What it predicted, by identifier; empty where that is not known (joined parts). */
  readonly predicted: ReadonlyMap<string, Landmarks>;
}

const WORST = 12;

/**
 * Writes `report.md`, `report.json`, the cumulative error distribution (`ced.svg`, `ced.png`), the errors by landmark
 * (`landmarks.svg`, `landmarks.png`) and, where the dataset is given, pictures of the worst faces (`worst.png`).
 * @param json what `report.json` holds.
 */
export async function writeReport(
  directory: string,
  systems: readonly SystemResult[],
  { set, json, dataset }: { set: string; json: unknown; dataset?: Dataset },
): Promise<void> {
  const [{ cedSvg, curvePanelsSvg }, { renderPng }] = await Promise.all([
    import('@voxface/plots'),
    import('@voxface/plots/node'),
  ]);
  await mkdir(directory, { recursive: true });
  const save = async (name: string, svg: string): Promise<void> => {
    await writeFile(join(directory, `${name}.svg`), svg);
    await writeFile(join(directory, `${name}.png`), await renderPng(svg));
  };
  const curves = systems.map(({ model, evaluation }) => ({
    name: model,
    errors: evaluation.perImage.map((image) => image.nme ?? Number.POSITIVE_INFINITY),
  }));
  await save('ced', await cedSvg(curves, { limit: systems[0].evaluation.limit }));
  await save(
    'landmarks',
    await curvePanelsSvg([landmarkPanel(systems)], { width: 620, height: 260, columns: 1 }),
  );
  const worst = worstFaces(systems);
  const sheet = dataset && (await drawFaces(systems, worst, dataset));
  if (sheet) await writeFile(join(directory, 'worst.png'), await renderPng(sheet));
  await writeFile(join(directory, 'report.json'), `${JSON.stringify(json, null, 1)}\n`);
  await writeFile(join(directory, 'report.md'), describe(systems, worst, set, sheet !== undefined));
  console.log(`wrote ${directory}/report.md`);
}

/** How each further system differs from the first, on the faces that both have found; one line each. */
export function compareSystems(systems: readonly SystemResult[]): string[] {
  const [first, ...others] = systems;
  return others.flatMap(({ model, evaluation }) => {
    const known = new Map(first.evaluation.perImage.map(({ id, nme }) => [id, nme]));
    const pairs = evaluation.perImage.flatMap(({ id, nme }): [number, number][] => {
      const other = known.get(id);
      return nme === null || other === null || other === undefined ? [] : [[nme, other]];
    });
    if (pairs.length === 0) return [];
    const { difference, low, high } = pairedBootstrap(
      pairs.map(([own]) => own),
      pairs.map(([, other]) => other),
    );
    const [d, l, h] = [difference, low, high].map((value) => (100 * value).toFixed(2));
    return [`${model} - ${first.model}: ${d} % (95 % interval ${l} to ${h}, ${pairs.length} faces)`];
  });
}

/** Each landmark's mean error over the faces that show it. */
export function averageLandmarks(
  images: readonly (ImageError & { readonly points?: readonly (number | null)[] })[],
): (number | null)[] {
  const sums: number[] = [];
  const counts: number[] = [];
  for (const { points = [] } of images) {
    for (const [i, error] of points.entries()) {
      sums[i] = (sums[i] ?? 0) + (error ?? 0);
      counts[i] = (counts[i] ?? 0) + Number(error !== null);
    }
  }
  return sums.map((sum, i) => (counts[i] > 0 ? sum / counts[i] : null));
}

function landmarkPanel(systems: readonly SystemResult[]): CurvePanel {
  return {
    title: 'error by landmark',
    x: 'landmark',
    y: 'NME (%)',
    dots: true,
    curves: systems.map(({ model, perLandmark }) => ({
      name: model,
      points: perLandmark.flatMap((error, i): [number, number][] =>
        error === null ? [] : [[i, 100 * error]],
      ),
    })),
  };
}

/** Identifiers of the first system's worst faces; a missed face is worse than any found. */
function worstFaces([{ evaluation }]: readonly SystemResult[]): string[] {
  const errors = evaluation.perImage.map(({ id, nme }) => ({ id, nme: nme ?? Number.POSITIVE_INFINITY }));
  // Infinity - Infinity is NaN: the order of missed faces stays.
  return errors
    .sort((a, b) => b.nme - a.nme || 0)
    .slice(0, WORST)
    .map(({ id }) => id);
}

function errorOf({ evaluation }: SystemResult, id: string): string {
  const nme = evaluation.perImage.find((image) => image.id === id)?.nme;
  return nme === null || nme === undefined ? 'missed' : (100 * nme).toFixed(2);
}

/** A row of pictures per face where there are several systems, else a grid: the prediction in colour, the truth in white. */
async function drawFaces(
  systems: readonly SystemResult[],
  ids: readonly string[],
  dataset: Dataset,
): Promise<string | undefined> {
  const [{ contactSheet, overlaySvg }, { photoHref }] = await Promise.all([
    import('@voxface/plots'),
    import('@voxface/plots/node'),
  ]);
  const cells: { svg: string; caption: string }[] = [];
  for (const id of ids) {
    const sample = await dataset.load(dataset.ids.indexOf(id)).catch(() => undefined);
    if (sample === undefined) continue;
    const { image, x, y } = cutFace(sample.image, truthBox(sample));
    const href = await photoHref(image);
    const moved = (shape: Landmarks): Landmarks => ({
      dims: shape.dims,
      points: shape.points.map((value, k) => value - [x, y, 0][k % shape.dims]),
    });
    for (const system of systems) {
      const predicted = system.predicted.get(id);
      const faces = predicted ? [{ landmarks: moved(predicted) }] : [];
      const svg = overlaySvg({ width: image.width, height: image.height, href }, faces);
      const truth = drawTruth(moved(sample.landmarks), predicted && moved(predicted), sample.visible);
      const who = systems.length > 1 ? `${system.model}: ` : `${id}: `;
      cells.push({ svg: svg.replace(/<\/svg>\s*$/, `${truth}</svg>`), caption: who + errorOf(system, id) });
    }
  }
  if (cells.length === 0) return undefined;
  return contactSheet(cells, { columns: systems.length > 1 ? systems.length : 4 });
}

/** White dots, with lines to the prediction where it has the same points. */
function drawTruth(truth: Landmarks, predicted: Landmarks | undefined, visible?: ArrayLike<number>): string {
  const count = countLandmarks(truth);
  const { width, height } = boxOf(truth);
  const radius = Math.max(0.7, 0.006 * Math.max(width, height));
  const at = ({ points, dims }: Landmarks, i: number): string =>
    `${points[i * dims].toFixed(2)} ${points[i * dims + 1].toFixed(2)}`;
  const shown = Array.from({ length: count }, (_, i) => i).filter((i) => !visible || visible[i]);
  const lines =
    predicted && countLandmarks(predicted) === count
      ? shown.map((i) => `M${at(truth, i)}L${at(predicted, i)}`).join('')
      : '';
  const dots = shown.map((i) => {
    const [cx, cy] = at(truth, i).split(' ');
    return `<circle cx="${cx}" cy="${cy}" r="${radius}"/>`;
  });
  return `<path d="${lines}" stroke="#fff" stroke-opacity="0.6" stroke-width="${radius * 0.6}"/><g fill="#fff">${dots.join('')}</g>`;
}

/** The part of a picture around a face, and where it begins. */
function cutFace(
  { data, width, height, channels }: Pixels,
  box: { x: number; y: number; width: number; height: number },
): { image: Pixels; x: number; y: number } {
  const margin = 0.4 * Math.max(box.width, box.height);
  const x = Math.max(0, Math.floor(box.x - margin));
  const y = Math.max(0, Math.floor(box.y - margin));
  const right = Math.min(width, Math.max(x + 1, Math.ceil(box.x + box.width + margin)));
  const bottom = Math.min(height, Math.max(y + 1, Math.ceil(box.y + box.height + margin)));
  const cut = new Uint8Array((right - x) * (bottom - y) * channels);
  for (let row = y; row < bottom; row++) {
    const from = (row * width + x) * channels;
    cut.set(data.subarray(from, from + (right - x) * channels), (row - y) * (right - x) * channels);
  }
  return { image: { data: cut, width: right - x, height: bottom - y, channels }, x, y };
}

function describe(
  systems: readonly SystemResult[],
  worst: readonly string[],
  set: string,
  pictures: boolean,
): string {
  const names = systems.map(({ model }) => model);
  const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
    [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows]
      .map((cells) => `| ${cells.join(' | ')} |`)
      .join('\n');
  const subsets = systems[0].evaluation.subsets.map(({ name }) => [
    name,
    ...systems.map(({ evaluation }) =>
      percent(evaluation.subsets.find((part) => part.name === name)?.nme.mean),
    ),
  ]);
  const { groups } = findProtocol(systems[0].evaluation.protocol).scheme;
  const parts = Object.entries(groups).map(([name, indices]) => [
    name,
    ...systems.map(({ perLandmark }) => percent(meanOf(indices.map((i) => perLandmark[i] ?? null)))),
  ]);
  const sections = [
    `# ${names.join(', ')} on ${set}`,
    formatReport(systems.map(({ model, evaluation }) => ({ method: model, evaluation }))).trimEnd(),
    ...(systems.length > 1
      ? [
          compareSystems(systems)
            .map((line) => `- ${line}`)
            .join('\n'),
        ]
      : []),
    ...(subsets.length > 0 ? [`NME (%) by subset:\n\n${table(['subset', ...names], subsets)}`] : []),
    '![cumulative error distribution](ced.svg)',
    `NME (%) by part of the face:\n\n${table(['part', ...names], parts)}`,
    '![error by landmark](landmarks.svg)',
    `Worst faces${names.length > 1 ? ` of ${names[0]}` : ''}, NME (%):\n\n${table(
      ['face', ...names],
      worst.map((id) => [id, ...systems.map((system) => errorOf(system, id))]),
    )}`,
    ...(pictures ? ['![the worst faces: predictions in colour, the truth in white](worst.png)'] : []),
  ];
  return `${sections.join('\n\n')}\n`;
}

function meanOf(values: readonly (number | null)[]): number | undefined {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
}

function percent(value: number | undefined): string {
  return value === undefined ? '-' : (100 * value).toFixed(2);
}
