export { type BackendUnderTest, describeBackends } from './describe-backends.ts';
export {
  DOUBLE_TOLERANCE,
  expectClose,
  expectGradient,
  expectNoLeak,
  GRADIENT_CHECK_DEFAULTS,
  type GradientCheckOptions,
  maxDifference,
  SINGLE_TOLERANCE,
  type Tolerance,
} from './expectations.ts';
export { fillWeights, type NamedWeight, noise, weightsOf } from './noise.ts';
