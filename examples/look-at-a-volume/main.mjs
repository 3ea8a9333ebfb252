import { readFileSync, writeFileSync } from 'node:fs';
import { boxOf, createLandmarks, cropAffine, toUnit } from '@voxface/landmarks';
import { volumeCloudSvg } from '@voxface/plots';
import { createVolumeEncoder } from '@voxface/volume';

const [input, output] = process.argv.slice(2);
if (!input || !output) {
  console.error('usage: node main.mjs LANDMARKS.json OUT.svg');
  process.exit(2);
}

const [face] = JSON.parse(readFileSync(input, 'utf8')).faces;
const landmarks = createLandmarks(face.landmarks.flat(), 3);
const unit = toUnit(landmarks, cropAffine(boxOf(landmarks)));

const encoder = createVolumeEncoder(face.landmarks.length, { depths: [1, 2, 4, 64] });
const volumes = encoder.encode(unit);
encoder.stages.forEach(({ width, height, depth }, stage) => {
  const energy = volumes[stage].reduce((sum, value) => sum + value * value, 0);
  console.log(
    `stage ${stage}: ${width} x ${height} x ${depth} x ${encoder.channels}, energy ${energy.toFixed(3)}`,
  );
});

const last = encoder.stages.at(-1);
writeFileSync(output, volumeCloudSvg(volumes.at(-1), { ...last, channels: encoder.channels }));
console.log(`wrote ${output}`);
