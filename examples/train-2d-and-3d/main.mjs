import { runTraining } from '@voxface/train/node';

const [set3d, set2d, output, preset = 'small', steps = '2000'] = process.argv.slice(2);
if (!output) {
  console.error('usage: node main.mjs SET-3D SET-2D OUT [PRESET] [STEPS]');
  process.exit(2);
}

const controller = new AbortController();
process.once('SIGINT', () => controller.abort());

await runTraining(
  {
    name: 'adversarial',
    output,
    backend: process.env.BACKEND ?? 'auto',
    model: preset,
    data: {
      train3d: [{ format: 'packed', root: set3d }],
      train2d: [{ format: 'packed', root: set2d }],
    },
    batchSize: 8,
    learningRate: { initial: 1e-3 },
    stages: [
      { kind: 'pretrain', steps: Number(steps) },
      { kind: 'adversarial', steps: Number(steps) },
    ],
    logEvery: Math.max(1, Math.round(steps / 20)),
    checkpointEvery: Number(steps),
    evaluateEvery: Number(steps),
  },
  { resume: true, signal: controller.signal, log: console.log },
);
