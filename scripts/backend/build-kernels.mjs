// Builds packages/backend/kernels/*.c into packages/backend/src/wasm/kernel-binaries.generated.ts.
// Needs clang and lld of version 16 or later (Debian: apt-get install clang-16 lld-16).
// CLANG and WASM_LD name other programs.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../packages/backend/', import.meta.url));
const clang = process.env.CLANG ?? 'clang-16';
const linker = process.env.WASM_LD ?? 'wasm-ld-16';
const folder = mkdtempSync(join(tmpdir(), 'voxface-kernels-'));

/** Two memories (plain, shared between threads) times two multiplications (simd128, relaxed fused multiply-add). */
const variants = [
  { name: 'plain', shared: false, relaxed: false },
  { name: 'plainRelaxed', shared: false, relaxed: true },
  { name: 'shared', shared: true, relaxed: false },
  { name: 'sharedRelaxed', shared: true, relaxed: true },
];

function build({ name, shared, relaxed }) {
  const sources = readdirSync(join(root, 'kernels'))
    .filter((file) => file.endsWith('.c'))
    .sort();
  const objects = sources.map((file) => {
    const object = join(folder, `${name}-${file}.o`);
    execFileSync(clang, [
      '--target=wasm32',
      '-O3',
      '-std=c17',
      '-Wall',
      '-Werror',
      '-ffreestanding',
      '-fno-math-errno',
      '-mbulk-memory',
      '-mnontrapping-fptoint',
      '-msimd128',
      ...(relaxed ? ['-mrelaxed-simd'] : []),
      ...(shared ? ['-matomics'] : []),
      '-c',
      join(root, 'kernels', file),
      '-o',
      object,
    ]);
    return object;
  });
  const output = join(folder, `${name}.wasm`);
  execFileSync(linker, [
    '--no-entry',
    '--import-memory',
    ...(shared ? ['--shared-memory', '--max-memory=4294967296'] : []),
    '--export=__stack_pointer',
    '--strip-all',
    '-O3',
    '-z',
    'stack-size=8192',
    ...objects,
    '-o',
    output,
  ]);
  return readFileSync(output);
}

const lines = [
  '// Built by scripts/backend/build-kernels.mjs from packages/backend/kernels/*.c; do not edit.',
  '',
  '/** WebAssembly modules as base64, by memory (plain, shared) and by the use of relaxed SIMD. */',
  'export const KERNEL_BINARIES: Record<KernelVariant, string> = {',
];
for (const variant of variants) {
  const binary = build(variant);
  console.log(`${variant.name}: ${binary.length} bytes`);
  lines.push(`  ${variant.name}:`, `    '${binary.toString('base64')}',`);
}
lines.push(
  '};',
  '',
  "export type KernelVariant = 'plain' | 'plainRelaxed' | 'shared' | 'sharedRelaxed';",
  '',
);
writeFileSync(join(root, 'src/wasm/kernel-binaries.generated.ts'), lines.join('\n'));
rmSync(folder, { recursive: true });
