import { readFile } from 'node:fs/promises';
import { runTraining } from './node.ts';

/** Runs one configuration: `run.ts CONFIG.json [--resume]`. Ctrl-C saves and stops. */
const [file, ...flags] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: run.ts CONFIG.json [--resume]');
  process.exit(2);
}
const controller = new AbortController();
process.once('SIGINT', () => controller.abort());
process.once('SIGTERM', () => controller.abort());
await runTraining(JSON.parse(await readFile(file, 'utf8')), {
  resume: flags.includes('--resume'),
  signal: controller.signal,
  log: (line) => console.log(line),
});
