#!/usr/bin/env node
import { Command } from 'commander';
import { addBenchOptions, BENCH_SUITE, type BenchSuite, benchModels, runBench } from 'voxface/bench';
import { benchTraining, torchOpeners } from './torch.ts';

/** What `voxface bench` measures, and what takes other libraries or the repository. */
const SUITE: BenchSuite = {
  parts: {
    ...BENCH_SUITE.parts,
    models: (settings) => benchModels(settings, torchOpeners(settings.flags.python ?? 'python3')),
    training: benchTraining,
    peers: async (settings) => (await import('./peers.ts')).benchPeers(settings),
    accuracy: async (settings) => (await import('./accuracy.ts')).benchAccuracy(settings),
    passes: async (settings) => (await import('./turned-faces.ts')).benchPasses(settings),
    looks: async (settings) => (await import('./turned-faces.ts')).benchLooks(settings),
    turned: async (settings) => (await import('./turned-faces.ts')).benchTurned(settings),
    video: async (settings) => (await import('./steadiness.ts')).benchSteadiness(settings),
    parts: async (settings) => (await import('./parts.ts')).benchParts(settings),
  },
  backends: ['torch', 'torch-frozen', ...BENCH_SUITE.backends],
};

const program = addBenchOptions(new Command('bench'), 'onnx,torch,torch-frozen,wasm,webgpu', 'small,paper')
  .description('Measure voxface against other libraries: interleaved rounds, medians, ratios.')
  .argument(
    '[parts...]',
    'models, photos, training, peers, accuracy, passes, looks, turned, video, parts; all if omitted',
  )
  .option('--python <program>', 'Python interpreter with PyTorch', 'python3')
  .option('--peers <dir>', 'where peers are installed by npm (default: FACE_API_FOLDER)')
  .option('--faces <list>', 'sets of crops that `voxface data` wrote, for looks and turned; comma-separated')
  .option('--clips <n>', 'number of clips, for video', '16')
  .option('--frames <dir>', 'folder of youtube-keypoints, for video', '../shared/data/youtube-keypoints')
  .addHelpText(
    'after',
    `
models    models on each backend and in PyTorch (torch, torch-frozen), from cropped pixels to landmarks
photos    a folder of photos: all cores against a plain loop, with the detector and with given boxes
training  a training step of the small preset against PyTorch
peers     the shipped model against @vladmandic/face-api on wasm and MediaPipe face mesh in Chromium
accuracy  errors of the shipped model, face-api and MediaPipe face mesh on the annotated photos of --photos, each with its own detector
passes    what confidences, the upright pass and quarter turns cost per face
looks     crops per face, and errors, by the limit of the upright pass
turned    errors of faces that lie turned in the picture's plane, by the angle
video     how steady followed faces are, and how far behind, beside MediaPipe face mesh
parts     volume encoding, metrics, reading and augmenting`,
  )
  .action((parts: string[], flags: Record<string, string>) => runBench(parts, flags, SUITE));
try {
  await program.parseAsync();
} catch (error) {
  console.error(`bench: ${(error as Error).message}`);
  process.exitCode = (error as Error).name === 'UsageError' ? 2 : 1;
}
