export { type BackendUnderTest, describeBackends } from './describe-backends.ts';
export {
  DOUBLE_TOLERANCE,
  expectClose,
  maxDifference,
  SINGLE_TOLERANCE,
  type Tolerance,
} from './expect-close.ts';
export {
  expectGradient,
  expectNoLeak,
  GRADIENT_CHECK_DEFAULTS,
  type GradientCheckOptions,
} from './expect-tensors.ts';
export { fillWeights, type NamedWeight, noise, weightsOf } from './noise.ts';
