import { firstErrorLine, runCommand } from './run-command.ts';

/** What the addon says of itself. */
export interface AddonCheck {
  /** Version of the TensorFlow library it is linked to. */
  tensorflowVersion: string;
  /** True when TensorFlow found a GPU to run on. */
  usesGpu: boolean;
}

const SCRIPT = `
const binding = require(process.argv[1]);
const values = Float32Array.of(1, 2, 3, 4);
const id = binding.createTensor([2, 2], binding.TF_FLOAT, values);
const attributes = [
  { name: 'transpose_a', type: binding.TF_ATTR_BOOL, value: false },
  { name: 'transpose_b', type: binding.TF_ATTR_BOOL, value: false },
  { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
];
const [product] = binding.executeOp('MatMul', attributes, [id, id], 1);
const result = Array.from(binding.tensorDataSync(product.id));
process.stdout.write('\\n' + JSON.stringify({ result, tensorflowVersion: binding.TF_Version, usesGpu: binding.isUsingGpuDevice() }));
`;

/**
 * Loads the addon in a process of its own, where a crash harms nobody, and multiplies two matrices with it.
 *
 * @throws Error with the loader's reason, or when the product is wrong.
 */
export async function checkAddon(addon: string): Promise<AddonCheck> {
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' };
  const { code, stdout, output } = await runCommand(process.execPath, ['-e', SCRIPT, addon], { env });
  if (code !== 0) {
    throw new Error(
      `checkAddon: the addon must load, got "${firstErrorLine(output)}" (see docs/native-node.md, or pass another version as tensorflow)`,
    );
  }
  const { result, ...check } = JSON.parse(stdout.slice(stdout.lastIndexOf('\n') + 1)) as AddonCheck & {
    result: number[];
  };
  if (result.join() !== '7,10,15,22') {
    throw new Error(
      `checkAddon: [[1, 2], [3, 4]] squared must be 7,10,15,22, got ${result.join()} (pass another version as tensorflow)`,
    );
  }
  return check;
}
