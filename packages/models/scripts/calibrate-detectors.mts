// Measures how the face-api detectors' boxes relate to the tight boxes of 68 annotated landmarks.
// tsx -C voxface-source scripts/calibrate-detectors.mts ssd|tiny FOLDER_OF_PTS_AND_IMAGES [EVERY_NTH]
import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-layers';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ready, setBackend } from '@tensorflow/tfjs-core';
import { type Box, boxOf, boxOverlap } from '@voxface/landmarks';
import sharp from 'sharp';
import { createFaceApiDetector } from '../src/face-api.ts';

const [network, folder, step = '1'] = process.argv.slice(2) as ['ssd' | 'tiny', string, string?];

function readBox(file: string): Box {
  const numbers = readFileSync(file, 'utf8').split('{')[1].split('}')[0].trim().split(/\s+/).map(Number);
  return boxOf({ points: Float32Array.from(numbers, (value) => value - 1), dims: 2 });
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

await setBackend('wasm');
await ready();
const detector = await createFaceApiDetector({ network, calibrated: false, minScore: 0.3 });
const files = readdirSync(folder).filter((name) => name.endsWith('.pts'));
const samples = files.filter((_, i) => i % Number(step) === 0);
const rows: number[][] = [];
for (const name of samples) {
  const image = ['.jpg', '.png'].map((end) => join(folder, name.replace('.pts', end))).find(existsSync)!;
  const truth = readBox(join(folder, name));
  const decoded = await sharp(image)
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const found = (await detector.detect(decoded)).sort(
    (a, b) => boxOverlap(b.box, truth) - boxOverlap(a.box, truth),
  )[0]?.box;
  if (found === undefined || boxOverlap(found, truth) < 0.3) continue;
  rows.push([
    (truth.x + truth.width / 2 - found.x - found.width / 2) / found.width,
    (truth.y + truth.height / 2 - found.y - found.height / 2) / found.height,
    truth.width / found.width,
    truth.height / found.height,
  ]);
}
const medians = [0, 1, 2, 3].map((k) => median(rows.map((row) => row[k])));
const spread = [0, 1, 2, 3].map((k) => median(rows.map((row) => Math.abs(row[k] - medians[k]))));
const round = (values: number[]) => values.map((value) => Number(value.toFixed(3)));
console.log(
  JSON.stringify({
    network,
    photos: samples.length,
    found: rows.length,
    medians: round(medians),
    spread: round(spread),
  }),
);
