import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Root folder of this repository. */
export const REPOSITORY: string = fileURLToPath(new URL('../../../', import.meta.url));

/** Runs a program in the repository's root; resolves to its output. */
export function runProgram(
  program: string,
  programArguments: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...environment };
    const child = spawn(program, programArguments, {
      cwd: REPOSITORY,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    child.stderr.on('data', (data) => {
      errors += data;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(errors.trim().split('\n').at(-1) ?? `${program} ended with code ${code}`));
    });
  });
}

/** Runs a TypeScript file of the repository. */
export function runSource(
  file: string,
  values: readonly string[],
  environment?: Readonly<Record<string, string>>,
): Promise<string> {
  const flags = ['--conditions=voxface-source', '--import', 'tsx', file, ...values];
  return runProgram(process.execPath, flags, environment);
}

/** Why PyTorch is missing, or undefined. */
export async function whyNoTorch(python: string): Promise<string | undefined> {
  try {
    await runProgram(python, ['-c', 'import torch']);
    return undefined;
  } catch {
    return `PyTorch: skipped, \`${python}\` has none (pip install torch, then --python INTERPRETER)`;
  }
}
