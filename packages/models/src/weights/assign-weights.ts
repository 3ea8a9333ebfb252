import { dispose, io, type Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

/** The part of a tfjs-layers weight that is needed here. */
interface LayerWeight {
  readonly originalName: string;
  readonly shape: readonly (number | null)[];
  write(value: Tensor): unknown;
}

/**
 * Decodes weights and writes them into a network, by name.
 * @param source what the weights came from, for error messages.
 * @throws Error naming every weight that is missing, unexpected or of another shape; nothing is written then.
 */
export function assignWeights(
  network: LayersModel,
  specs: io.WeightsManifestEntry[],
  bytes: Uint8Array,
  source: string,
): void {
  checkLength(specs, bytes, source);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const tensors = io.decodeWeights(buffer, specs);
  try {
    assignTensors(network, tensors, source);
  } finally {
    dispose(tensors);
  }
}

/** Writes named tensors into a network; errors as `assignWeights`. Does not dispose the tensors. */
export function assignTensors(network: LayersModel, tensors: Record<string, Tensor>, source: string): void {
  const weights = network.weights as unknown as LayerWeight[];
  const problems: string[] = [];
  const names = new Set(weights.map((weight) => weight.originalName));
  for (const weight of weights) {
    const found = tensors[weight.originalName];
    if (found === undefined) problems.push(`missing ${weight.originalName} [${weight.shape.join(', ')}]`);
    else if (found.shape.join() !== weight.shape.join()) {
      problems.push(
        `${weight.originalName} is [${found.shape.join(', ')}] instead of [${weight.shape.join(', ')}]`,
      );
    }
  }
  for (const name of Object.keys(tensors)) if (!names.has(name)) problems.push(`unexpected ${name}`);
  if (problems.length > 0) throw new Error(describeProblems(network.name, source, problems));
  for (const weight of weights) weight.write(tensors[weight.originalName]);
}

function describeProblems(network: string, source: string, problems: string[]): string {
  const shown = problems.slice(0, 8).join('; ');
  const more = problems.length > 8 ? `; and ${problems.length - 8} more` : '';
  return `assignWeights: the weights of ${source} must fit the ${network}, got ${shown}${more} (were the options changed after saving?)`;
}

const BYTES: Record<string, number> = { float16: 2, uint8: 1 };

function checkLength(specs: io.WeightsManifestEntry[], bytes: Uint8Array, source: string): void {
  const expected = specs.reduce((sum, spec) => {
    const size = spec.quantization ? (BYTES[spec.quantization.dtype] ?? 4) : 4;
    return sum + size * spec.shape.reduce((a, b) => a * b, 1);
  }, 0);
  if (expected !== bytes.length) {
    throw new Error(
      `assignWeights: ${source} must hold ${expected} bytes of weights, got ${bytes.length} (is the file cut off?)`,
    );
  }
}
