import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Runs `examples/NAME/main.mjs` against the packages' sources; returns what it printed and its exit code. */
export function runExample(name: string, args: readonly string[]): { status: number | null; output: string } {
  const main = fileURLToPath(new URL(`./${name}/main.mjs`, import.meta.url));
  const flags = ['--conditions=voxface-source', '--import', 'tsx'];
  const result = spawnSync(process.execPath, [...flags, main, ...args], { encoding: 'utf8' });
  return { status: result.status, output: result.stdout + result.stderr };
}
