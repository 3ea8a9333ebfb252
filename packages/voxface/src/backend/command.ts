import type { Command } from 'commander';
import type { SetExitCode } from '../options.ts';

/** `voxface conformance [--backend NAME]` */
export function addConformance(program: Command, setExitCode: SetExitCode): void {
  program
    .command('conformance')
    .description(
      'Check every kernel that the networks use on a backend: values, gradients, a training step, memory.',
    )
    .option('--backend <name>', 'wasm, webgpu, node, node-gpu, cpu', 'wasm')
    .option('--only <text>', 'run only the checks whose kernel and name contain this')
    .option('--json <file>', 'also write every result')
    .action(async (flags: { backend: string; only?: string; json?: string }) => {
      const { checkBackend } = await import('./check.ts');
      if (!(await checkBackend(flags))) setExitCode(1);
    });
}

interface SetupNodeFlags {
  gpu?: boolean;
  wheel?: string;
  tensorflow?: string;
  conformance: boolean;
}

/** `voxface setup-node [--gpu] [--wheel FILE] [--tensorflow VERSION] [--no-conformance]` */
export function addSetupNode(program: Command): void {
  program
    .command('setup-node')
    .description(
      'Build the native TensorFlow backend for Node with the library of a TensorFlow wheel from PyPI, and check it.',
    )
    .option('--gpu', 'use the CUDA wheel (Linux, NVIDIA)')
    .option('--wheel <file>', 'use this wheel instead of downloading one with pip')
    .option('--tensorflow <version>', 'TensorFlow version')
    .option('--no-conformance', 'skip the conformance suite afterwards (about 10 s)')
    .action(async (flags: SetupNodeFlags) => {
      const { setupNode } = await import('@voxface/backend/setup-node');
      const { conformance, ...options } = flags;
      const build = await setupNode({ ...options, log: (line) => console.error(line) });
      if (!conformance) return;
      const { checkNativeNode } = await import('./check.ts');
      await checkNativeNode(build);
    });
}
