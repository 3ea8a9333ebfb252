import {
  add,
  getBackend,
  getKernel,
  keep,
  mul,
  type NamedAttrMap,
  reshape,
  rsqrt,
  sub,
  type Tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import type { ProgramConstants, RecordedCall, View } from './plan.ts';

type Argument = RecordedCall['args'][number];

/** Kernels that add a bias and apply an activation; the one for 3D is there with `@voxface/backend` on wasm. */
const FUSED: Readonly<Record<string, string>> = {
  Conv2D: 'FusedConv2D',
  FusedConv2D: 'FusedConv2D',
  Conv3D: 'FusedConv3D',
};

/**
 * Folds what follows a convolution with constant weights into it: biases, batch normalisations with constant statistics
 * (W' = W s and b' = (b - mean) s + offset with s = scale / sqrt(variance + epsilon), per channel), then a ReLU or leaky ReLU.
 * Same values up to rounding.
 * @returns the calls that remain.
 */
export function foldNormalization(
  calls: readonly RecordedCall[],
  outputs: readonly View[],
  constants: ProgramConstants,
): RecordedCall[] {
  const readers = new Map<number, number>();
  for (const { slot } of [...outputs, ...calls.flatMap(({ args }) => args)]) {
    readers.set(slot, (readers.get(slot) ?? 0) + 1);
  }
  /** Convolutions that may still take something up, by the slot of their result. */
  const open = new Map<number, number>();
  const kept: RecordedCall[] = [];
  for (const call of calls) {
    const from = call.args.find(({ slot }) => open.has(slot) && readers.get(slot) === 1);
    const before = from && open.get(from.slot);
    const folded = before === undefined ? undefined : foldInto(kept[before], call, constants);
    if (before === undefined || folded === undefined) {
      const convolution = asOpen(call, constants);
      if (convolution) open.set(call.slots[0], kept.length);
      kept.push(convolution ?? call);
      continue;
    }
    kept[before] = folded;
    if (folded.attrs.activation === 'linear') open.set(folded.slots[0], before);
  }
  return kept;
}

/** The call as a fused convolution without activation, if it is a convolution with constant weights. */
function asOpen(call: RecordedCall, constants: ProgramConstants): RecordedCall | undefined {
  const name = FUSED[call.name];
  const kernel = name && getKernel(name, getBackend())?.kernelFunc;
  const { activation = 'linear' } = call.attrs;
  const isConstant = ({ key, slot }: Argument): boolean => key === 'x' || constants.get(slot) !== undefined;
  if (!kernel || activation !== 'linear' || !call.args.every(isConstant)) return undefined;
  return { ...call, name, kernel, attrs: { ...call.attrs, activation } };
}

/** The convolution with the call taken up, or undefined when it cannot be. */
function foldInto(
  convolution: RecordedCall,
  call: RecordedCall,
  constants: ProgramConstants,
): RecordedCall | undefined {
  const { slots } = call;
  // What is folded must be all that the call computes from: a statistic that a convolution made, say, is not.
  const computed = call.args.filter(({ slot }) => constants.get(slot) === undefined);
  if (computed.length !== 1 || (call.name !== 'Add' && computed[0].key !== 'x')) return undefined;
  const activate = (attrs: NamedAttrMap) => ({
    ...convolution,
    attrs: { ...convolution.attrs, ...attrs },
    slots,
  });
  if (call.name === 'Relu') return activate({ activation: 'relu' });
  if (call.name === 'LeakyRelu')
    return activate({ activation: 'leakyrelu', leakyreluAlpha: call.attrs.alpha });
  const weights = tidy(() => {
    const { filter, bias } = namedConstants(convolution, constants);
    const result =
      call.name === 'Add' ? addBias(filter, bias, call, constants) : normalize(filter, bias, call, constants);
    return result?.map((tensor) => keep(tensor));
  });
  if (weights === undefined) return undefined;
  const [filter, bias] = weights;
  const argument = (key: string, tensor: Tensor): Argument => {
    return { key, slot: constants.add(tensor), shape: tensor.shape, dtype: tensor.dtype };
  };
  const x = convolution.args.filter(({ key }) => key === 'x');
  return { ...convolution, args: [...x, argument('filter', filter), argument('bias', bias)], slots };
}

type Weights = [filter: Tensor, bias: Tensor];

/** Filter and bias after the addition of a constant per channel. */
function addBias(
  filter: Tensor,
  bias: Tensor | undefined,
  call: RecordedCall,
  constants: ProgramConstants,
): Weights | undefined {
  const channels = filter.shape[filter.rank - 1];
  const added = Object.values(namedConstants(call, constants));
  if (added.length !== 1 || added[0].size !== channels || added[0].shape.at(-1) !== channels)
    return undefined;
  const flat = reshape(added[0], [channels]);
  return [mul(filter, 1), bias === undefined ? mul(flat, 1) : add(bias, flat)];
}

/** Filter and bias after batch normalisation. */
function normalize(
  filter: Tensor,
  bias: Tensor | undefined,
  call: RecordedCall,
  constants: ProgramConstants,
): Weights | undefined {
  if (call.name !== 'FusedBatchNorm') return undefined;
  const channels = filter.shape[filter.rank - 1];
  const given = namedConstants(call, constants);
  const { mean, variance, offset, scale } = given;
  if (!mean || !variance || !Object.values(given).every(({ size }) => size === channels)) return undefined;
  const factor = mul(scale ?? 1, rsqrt(add(variance, Number(call.attrs.varianceEpsilon))));
  const shift = mul(bias === undefined ? mul(mean, -1) : sub(bias, mean), factor);
  return [mul(filter, factor), offset === undefined ? shift : add(shift, offset)];
}

function namedConstants({ args }: RecordedCall, constants: ProgramConstants): Record<string, Tensor> {
  return Object.fromEntries(
    args.flatMap(({ key, slot }) => {
      const tensor = constants.get(slot);
      return tensor === undefined ? [] : [[key, tensor] as const];
    }),
  );
}
