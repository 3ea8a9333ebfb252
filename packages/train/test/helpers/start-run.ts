import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../../../voxface/src/bin.ts', import.meta.url));

/** The command line that trains by a configuration, from source. */
export function trainCommand(file: string, ...flags: string[]): string[] {
  return [
    process.execPath,
    '--import',
    'tsx',
    '--conditions=voxface-source',
    COMMAND,
    'train',
    file,
    ...flags,
  ];
}

/** Whether a program is installed. */
export const hasProgram = (name: string): boolean => spawnSync('which', [name]).status === 0;

/** Starts a command line; `until` is told everything printed so far. */
export function startProcess(
  [program, ...args]: readonly string[],
  until?: (output: string, kill: (signal: NodeJS.Signals) => void) => void,
  environment: Record<string, string> = {},
): Promise<{ output: string; code: number | null }> {
  const child = spawn(program, args, { env: { ...process.env, ...environment } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      output += text;
      until?.(output, (signal) => child.kill(signal));
    });
  }
  return new Promise((resolve) => child.on('close', (code) => resolve({ output, code })));
}

/** `mpirun` over commands, one rank each, also as root and on few cores. */
export function mpirun(...commands: readonly string[][]): string[] {
  const ranks = commands.map((command) => ['-n', '1', ...command]);
  const joined = ranks.flatMap((rank, i) => (i === 0 ? rank : [':', ...rank]));
  return ['mpirun', '--allow-run-as-root', '--oversubscribe', ...joined];
}

/** Processes of this machine that are the given rank of a job and have `text` in their command line. */
export function findRank(rank: number, text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
        const isRank = environment.includes(`OMPI_COMM_WORLD_RANK=${rank}`);
        return isRank && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(text);
      } catch {
        return false;
      }
    });
}
