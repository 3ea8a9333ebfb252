/**
 * Which way labels fitted to people's points are turned, against published landmarks: a bias of pose is what a network learns, chance
 * it averages out. From the root, AFLW2000-3D (people's points of MERL-RAV on its pictures):
 *
 *   node --conditions=voxface-source --import tsx packages/voxface/bench/label-pose.ts DATA [every, 1]
 *
 * DATA is the folder with aflw2000-3d-full, bfm-68 and ict-facekit. For fits without the jaw, with the contour taken for the jaw
 * line (`LABEL_FIT_DEFAULTS`), and with a head that finds the jaw line: mean distance in 3D in percent of the square root of the box, and the
 * median of fitted minus published angle by the mean of both, so that scatter of either does not look like a bias.
 */
import { join } from 'node:path';
import { openDataset } from '@voxface/datasets/node';
import { conformLandmarks, fitFace, LABEL_FIT_DEFAULTS } from '@voxface/facefit';
import { openBfm68, openFaceModel } from '@voxface/facefit/node';
import { headPose, type Landmarks } from '@voxface/landmarks';
import { boxSize, nme } from '@voxface/metrics';

const [data, every = '1'] = process.argv.slice(2);
const YAWS = [0, 10, 20, 30, 45, 60, 75, 91];
const PITCHES = [-45, -28, -20, -12, -5, 5, 15, 25, 45];

const bfm = await openBfm68(join(data, 'bfm-68'));
const head = await openFaceModel(join(data, 'ict-facekit'));
const published = await openDataset(join(data, 'aflw2000-3d-full'), { kind: 'aflw2000-3d' });
const people = await openDataset(join(data, 'aflw2000-3d-full', 'merl-rav-68.csv'), {
  images: join(data, 'aflw2000-3d-full'),
});
const rows = new Map(published.ids.map((id, i) => [id, i]));
type Row = { error: number; yaw: [number, number]; pitch: [number, number] };
const found: Record<string, Row[]> = { 'no jaw': [], 'contour as jaw line': [], 'jaw line by a head': [] };
for (let i = 0; i < people.length; i += Number(every)) {
  const { id, landmarks, visible } = await people.load(i);
  const row = rows.get(id);
  if (row === undefined) continue;
  const truth = (await published.load(row)).landmarks as Landmarks<3>;
  const seen = visible && { visible };
  const fits = {
    'no jaw': fitFace(bfm, landmarks, { ...seen, jaw: 'ignore', noise: LABEL_FIT_DEFAULTS.noise! })
      .modelLandmarks,
    'contour as jaw line': conformLandmarks(bfm, landmarks, { ...seen }),
    'jaw line by a head': conformLandmarks(bfm, landmarks, { ...seen, head }),
  };
  for (const [name, fitted] of Object.entries(fits)) {
    const [own, its] = [headPose(fitted), headPose(truth)];
    found[name].push({
      error: 100 * nme(fitted, truth, { normalizer: boxSize, alignDepth: 'mean' }),
      yaw: [Math.abs(own.yaw), Math.abs(its.yaw)],
      pitch: [own.pitch, its.pitch],
    });
  }
}

for (const [name, list] of Object.entries(found)) {
  const mean = list.reduce((sum, { error }) => sum + error, 0) / list.length;
  console.log(`${name} (${list.length} faces): ${mean.toFixed(2)} %`);
  // A pose that is far off is a fit gone wrong, not a bias; pitch loses its meaning at profiles.
  const level = list.filter(({ yaw }) => yaw[0] + yaw[1] < 100);
  console.log(
    `  |yaw|  ${medians(
      list.map(({ yaw }) => yaw),
      YAWS,
    )}`,
  );
  console.log(
    `  pitch  ${medians(
      level.map(({ pitch }) => pitch),
      PITCHES,
    )}`,
  );
}

function medians(
  angles: readonly (readonly [own: number, its: number])[],
  bounds: readonly number[],
): string {
  return bounds
    .slice(1)
    .map((to, k) => {
      const apart = angles
        .filter(
          ([own, its]) => (own + its) / 2 >= bounds[k] && (own + its) / 2 < to && Math.abs(own - its) < 25,
        )
        .map(([own, its]) => own - its)
        .sort((a, b) => a - b);
      const median = apart.length ? apart[apart.length >> 1].toFixed(1) : '-';
      return `${bounds[k]}..${to} (${apart.length}): ${median}`;
    })
    .join(' | ');
}
