import type { Command } from 'commander';
import type { SetExitCode } from '../program.ts';

/** `voxface conformance [--backend NAME]` */
export function addConformance(program: Command, setExitCode: SetExitCode): void {
  program
    .command('conformance')
    .description(
      'Check every kernel the networks use on a backend: values, gradients, a training step, memory.',
    )
    .option('--backend <name>', 'wasm, webgpu, node, node-gpu, cpu', 'wasm')
    .option('--only <text>', 'only the checks whose kernel and name contain this')
    .option('--json <file>', 'also write every result')
    .action(async (flags: { backend: string; only?: string; json?: string }) => {
      const { checkBackend } = await import('../check-backend.ts');
      if (!(await checkBackend(flags))) setExitCode(1);
    });
}
