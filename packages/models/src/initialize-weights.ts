import { type Tensor, tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { createRandom, type Random } from '@voxface/landmarks';

/** Standard deviation of the kernels of volume heads: outputs start near 1 % of a voxel's peak. */
const HEAD_DEVIATION = 1e-3;

/**
 * Draws the kernels of a network: normal with variance 2 / fan-in (He et al. 2015), each layer from its own
 * seed, so that a layer's weights depend on `seed` and the layer's name alone. Heads that predict volumes and
 * the last dense layer start near zero, the latter with its bias in the middle of the crop. Biases and batch
 * normalisation keep their zeros and ones.
 * @param only names of the layers to draw; all when left out.
 */
export function initializeWeights(network: LayersModel, seed: number, only?: ReadonlySet<string>): void {
  for (const layer of network.layers) {
    const kind = layer.getClassName();
    if (only !== undefined && !only.has(layer.name)) continue;
    if (kind !== 'Conv2D' && kind !== 'Conv3D' && kind !== 'Dense') continue;
    const [kernel, bias] = layer.getWeights();
    const fanIn = kernel.shape.slice(0, -1).reduce((a, b) => a * b, 1);
    const isCoordinates = layer.name === 'coordinates';
    const small = isCoordinates || layer.name.endsWith('_head');
    const deviation = small ? HEAD_DEVIATION : Math.sqrt(2 / fanIn);
    const random = createRandom(hashName(layer.name, seed));
    const values: Tensor[] = [tensor(drawNormal(random, kernel.size, deviation), kernel.shape)];
    values.push(isCoordinates ? tensor(cropCenter(bias.size)) : bias);
    layer.setWeights(values);
    values[0].dispose();
    if (isCoordinates) values[1].dispose();
  }
}

function drawNormal(random: Random, count: number, deviation: number): Float32Array {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = deviation * random.normal();
  return values;
}

/** x = y = 1/2, z = 0 for every landmark. */
function cropCenter(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (i % 3 === 2 ? 0 : 0.5));
}

/** 32-bit FNV-1a of the name, stirred with the seed. */
function hashName(name: string, seed: number): number {
  let hash = (0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1)) >>> 0;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}
