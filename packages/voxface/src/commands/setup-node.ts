import type { Command } from 'commander';

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
      'Build the native TensorFlow backend for Node against the library of a TensorFlow wheel from PyPI, and check it.',
    )
    .option('--gpu', 'take the CUDA wheel (Linux, NVIDIA)')
    .option('--wheel <file>', 'use this wheel instead of asking pip')
    .option('--tensorflow <version>', 'TensorFlow version to take')
    .option('--no-conformance', 'leave out the conformance suite afterwards (about 10 s)')
    .action(async (flags: SetupNodeFlags) => {
      const { setupNode } = await import('@voxface/backend/setup-node');
      const { conformance, ...options } = flags;
      const build = await setupNode({ ...options, log: (line) => console.error(line) });
      if (!conformance) return;
      const { checkNativeNode } = await import('../check-native-node.ts');
      await checkNativeNode(build);
    });
}
