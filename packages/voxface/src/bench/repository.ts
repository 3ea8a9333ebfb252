import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository that this command was started from, or undefined for an installed package. */
export function findRepository(): string | undefined {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let parent = dirname(folder); parent !== folder; parent = dirname(folder)) {
    if (existsSync(join(folder, 'scripts/bench/torch_face_shape.py'))) return folder;
    folder = parent;
  }
  return undefined;
}

/** Runs a program to its end; resolves to what it printed. */
export function runProgram(
  program: string,
  programArguments: readonly string[],
  folder?: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...environment };
    const child = spawn(program, programArguments, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
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

/** Runs a script of the repository from its TypeScript sources. */
export function runSource(
  repository: string,
  file: string,
  values: readonly string[],
  environment?: Readonly<Record<string, string>>,
): Promise<string> {
  const flags = ['--conditions=voxface-source', '--import', 'tsx', file, ...values];
  return runProgram(process.execPath, flags, repository, environment);
}

/** Why PyTorch cannot take part, or undefined. */
export async function whyNoTorch(python: string): Promise<string | undefined> {
  if (findRepository() === undefined)
    return 'PyTorch: skipped, its scripts lie in the repository (scripts/bench)';
  try {
    await runProgram(python, ['-c', 'import torch']);
    return undefined;
  } catch {
    return `PyTorch: skipped, \`${python}\` has none (pip install torch, then --python INTERPRETER)`;
  }
}
