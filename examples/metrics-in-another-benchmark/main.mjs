import { readFileSync } from 'node:fs';
import { createLandmarks } from '@voxface/landmarks';
import { evaluateProtocol, formatReport, pairedBootstrap } from '@voxface/metrics';

const [truthFile, ...toolFiles] = process.argv.slice(2);
if (!truthFile || toolFiles.length === 0) {
  console.error('usage: node main.mjs TRUTH.json PREDICTIONS.json [OTHER.json]');
  process.exit(2);
}

const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const truth = read(truthFile);
const rows = toolFiles.map((file) => {
  const faces = Object.entries(read(file)).map(([id, points]) => ({
    id,
    preds: createLandmarks(points.flat(), 2),
    target: createLandmarks(truth[id].flat(), 2),
  }));
  return { method: file, evaluation: evaluateProtocol('300w/box/68', faces) };
});
console.log(formatReport(rows));

if (rows.length === 2) {
  const [mine, theirs] = rows.map(({ evaluation }) => evaluation.perImage.map(({ nme }) => nme));
  const { difference, low, high } = pairedBootstrap(mine, theirs, { seed: 1 });
  const percent = (value) => (100 * value).toFixed(3);
  console.log(`difference ${percent(difference)} %, 95 % interval ${percent(low)} to ${percent(high)}`);
}
