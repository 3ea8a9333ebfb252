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

/** The errors of one face by one system, with those of its landmarks (fractions; null: hidden). */
export interface FaceErrors extends ImageError {
  readonly points?: readonly (number | null)[];
  /** How sure the model was, 0..1, where it says so. */
  readonly confidence?: number;
}

const WORST = 12;
/** Where the table of confidences is cut. */
const CONFIDENCES = [0, 0.1, 0.5, 0.9, 0.99, 1];

/**
 * Writes `report.md`, `report.json`, the cumulative error distribution (`ced.svg`, `ced.png`), the errors by landmark
 * (`landmarks.svg`, `landmarks.png`), error against confidence where a system tells it (`confidence.svg`, `confidence.png`) and, where
 * the dataset is given, pictures of the worst faces (`worst.png`).
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
  const panels = confidencePanels(systems);
  if (panels.length > 0) await save('confidence', await curvePanelsSvg(panels, { columns: 2 }));
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
export function averageLandmarks(images: readonly FaceErrors[]): (number | null)[] {
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

/** The list of images as JSON has it, with the confidence of each where the model tells one. */
export function withConfidences<T extends object>(evaluation: Evaluation, images: readonly T[]): T[] {
  const judged: readonly FaceErrors[] = evaluation.perImage;
  return images.map((image, i) => {
    const { confidence } = judged[i];
    return confidence === undefined ? image : { ...image, confidence: Math.round(1e4 * confidence) / 1e4 };
  });
}

interface Judged {
  readonly nme: number;
  readonly confidence: number;
}

/** Faces with error and confidence, the most confident first. */
function judgedFaces({ evaluation }: SystemResult): Judged[] {
  return (evaluation.perImage as readonly FaceErrors[])
    .flatMap(({ nme, confidence }) => (nme === null || confidence === undefined ? [] : [{ nme, confidence }]))
    .sort((a, b) => b.confidence - a.confidence);
}

/** Mean error in ten groups of equal size by confidence, and of the most confident share of all faces. */
function confidencePanels(systems: readonly SystemResult[]): CurvePanel[] {
  const judged = systems
    .map((system) => ({ name: system.model, faces: judgedFaces(system) }))
    .filter(({ faces }) => faces.length > 0);
  if (judged.length === 0) return [];
  const tenths = (faces: readonly Judged[]): [number, number][] => {
    const groups = Math.min(10, faces.length);
    const bound = (k: number): number => Math.floor((k * faces.length) / groups);
    return Array.from({ length: groups }, (_, k): [number, number] => {
      const part = faces.slice(bound(groups - 1 - k), bound(groups - k));
      return [100 * meanBy(part, 'confidence'), 100 * meanBy(part, 'nme')];
    });
  };
  const kept = (faces: readonly Judged[]): [number, number][] => {
    let sum = 0;
    const means = faces.map(({ nme }, i): [number, number] => {
      sum += nme;
      return [(100 * (i + 1)) / faces.length, (100 * sum) / (i + 1)];
    });
    // The first few faces say little.
    return means.slice(Math.min(means.length - 1, Math.ceil(means.length / 50)));
  };
  const y = 'mean NME (%)';
  const draw = (points: (faces: readonly Judged[]) => [number, number][]): CurvePanel['curves'] =>
    judged.map(({ name, faces }) => ({ name, points: points(faces) }));
  return [
    {
      title: 'error by confidence, tenths of the faces',
      x: 'confidence (%)',
      y,
      dots: true,
      curves: draw(tenths),
    },
    { title: 'error of the most confident faces', x: 'faces kept (%)', y, curves: draw(kept) },
  ];
}

/** Rows of the table of one system: confidence, faces, mean error, share above the protocol's limit. */
function confidenceRows(system: SystemResult): string[][] {
  const faces = judgedFaces(system);
  const { limit } = system.evaluation;
  return CONFIDENCES.slice(1).flatMap((to, k) => {
    const from = CONFIDENCES[k];
    const part = faces.filter(({ confidence }) => confidence >= from && (confidence < to || to === 1));
    if (part.length === 0) return [];
    const failed = part.filter(({ nme }) => nme > limit).length / part.length;
    return [[`${from} to ${to}`, String(part.length), percent(meanBy(part, 'nme')), percent(failed)]];
  });
}

function meanBy(faces: readonly Judged[], field: keyof Judged): number {
  return faces.reduce((sum, face) => sum + face[field], 0) / faces.length;
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
  if (subsets.length > 0)
    subsets.push(['full', ...systems.map(({ evaluation }) => percent(evaluation.nme.mean))]);
  const { groups } = findProtocol(systems[0].evaluation.protocol).scheme;
  const parts = Object.entries(groups).map(([name, indices]) => [
    name,
    ...systems.map(({ perLandmark }) => percent(meanOf(indices.map((i) => perLandmark[i] ?? null)))),
  ]);
  const judged = systems.flatMap((system) => {
    const rows = confidenceRows(system);
    if (rows.length === 0) return [];
    const head = ['confidence', 'faces', 'NME %', `above ${percent(system.evaluation.limit)} %`];
    return [`Error by confidence of ${system.model}:\n\n${table(head, rows)}`];
  });
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
    ...judged,
    ...(judged.length > 0 ? ['![error by confidence](confidence.svg)'] : []),
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
