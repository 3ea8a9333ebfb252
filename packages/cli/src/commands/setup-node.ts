import type { Command } from 'commander';

/** `voxface setup-node [--gpu] [--wheel FILE] [--tensorflow VERSION]` */
export function addSetupNode(program: Command): void {
  program
    .command('setup-node')
    .description(
      'Build the native TensorFlow backend for Node against the library of a TensorFlow wheel from PyPI.',
    )
    .option('--gpu', 'take the CUDA wheel (Linux, NVIDIA)')
    .option('--wheel <file>', 'use this wheel instead of asking pip')
    .option('--tensorflow <version>', 'TensorFlow version to take')
    .action(async (flags: { gpu?: boolean; wheel?: string; tensorflow?: string }) => {
      const { setupNode } = await import('@voxface/backend/setup-node');
      await setupNode({ ...flags, log: (line) => console.error(line) });
    });
}
