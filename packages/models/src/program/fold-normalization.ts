import { add, getBackend, getKernel, keep, mul, rsqrt, sub, type Tensor, tidy } from '@tensorflow/tfjs-core';
import type { RecordedCall, View } from './plan.ts';
import type { ProgramConstants } from './program-constants.ts';

type Argument = RecordedCall['args'][number];

/**
 * Folds batch normalisations with constant statistics into the 2D convolutions before them, and ReLUs into convolutions:
 * W' = W s and b' = (b - mean) s + offset with s = scale / sqrt(variance + epsilon), per channel. Same values up to rounding.
 * @returns the calls that remain.
 */
export function foldNormalization(
  calls: readonly RecordedCall[],
  outputs: readonly View[],
  constants: ProgramConstants,
): RecordedCall[] {
  const fused = getKernel('FusedConv2D', getBackend())?.kernelFunc;
  if (fused === undefined) return [...calls];
  const readers = new Map<number, number>();
  for (const { slot } of [...outputs, ...calls.flatMap(({ args }) => args)]) {
    readers.set(slot, (readers.get(slot) ?? 0) + 1);
  }
  /** Convolutions that may still take something up, by the slot of their result. */
  const open = new Map<number, number>();
  const kept: RecordedCall[] = [];
  for (const call of calls) {
    const x = call.args.find(({ key }) => key === 'x');
    const before = x && readers.get(x.slot) === 1 ? open.get(x.slot) : undefined;
    const folded = before === undefined ? undefined : foldInto(kept[before], call, constants);
    if (folded === undefined) {
      kept.push(call);
      if (isLinearConvolution(call, constants)) open.set(call.slots[0], kept.length - 1);
      continue;
    }
    kept[before!] = { ...folded, kernel: fused };
    if (folded.attrs.activation === 'linear') open.set(folded.slots[0], before!);
  }
  return kept;
}

function isLinearConvolution({ name, args, attrs }: RecordedCall, constants: ProgramConstants): boolean {
  const isConvolution = name === 'Conv2D' || (name === 'FusedConv2D' && attrs.activation === 'linear');
  return isConvolution && args.every(({ key, slot }) => key === 'x' || constants.get(slot) !== undefined);
}

/** The convolution with the call taken up, or undefined when it cannot be. */
function foldInto(
  convolution: RecordedCall,
  call: RecordedCall,
  constants: ProgramConstants,
): RecordedCall | undefined {
  const { slots } = call;
  if (call.name === 'Relu') {
    return {
      ...convolution,
      name: 'FusedConv2D',
      attrs: { ...convolution.attrs, activation: 'relu' },
      slots,
    };
  }
  if (call.name !== 'FusedBatchNorm') return undefined;
  const given = namedConstants(call, constants);
  const { mean, variance, offset, scale } = given;
  const { filter, bias } = namedConstants(convolution, constants);
  const channels = filter.shape[3];
  const isPerChannel = (tensor: Tensor | undefined): boolean =>
    tensor === undefined || tensor.size === channels;
  if (!mean || !variance || !Object.values(given).every(isPerChannel)) return undefined;
  const epsilon = Number(call.attrs.varianceEpsilon);
  const [newFilter, newBias] = tidy(() => {
    const factor = mul(scale ?? 1, rsqrt(add(variance, epsilon)));
    const shift = mul(bias === undefined ? mul(mean, -1) : sub(bias, mean), factor);
    return [keep(mul(filter, factor)), keep(offset === undefined ? shift : add(shift, offset))];
  });
  const argument = (key: string, tensor: Tensor): Argument => {
    return { key, slot: constants.add(tensor), shape: tensor.shape, dtype: tensor.dtype };
  };
  const x = convolution.args.filter(({ key }) => key === 'x');
  const args = [...x, argument('filter', newFilter), argument('bias', newBias)];
  return {
    ...convolution,
    name: 'FusedConv2D',
    attrs: { ...convolution.attrs, activation: 'linear' },
    args,
    slots,
  };
}

function namedConstants({ args }: RecordedCall, constants: ProgramConstants): Record<string, Tensor> {
  return Object.fromEntries(
    args.flatMap(({ key, slot }) => {
      const tensor = constants.get(slot);
      return tensor === undefined ? [] : [[key, tensor] as const];
    }),
  );
}
