export {
  createProfiledSet,
  PROFILED_SET_DEFAULTS,
  type ProfiledSetOptions,
  type ProfiledSetReport,
} from './create-profiled-set.ts';
export { openBfm68 } from './open-bfm-68.ts';
export { openFaceModel } from './open-face-model.ts';
export { LINEAR_BASIS_DEFAULTS, type LinearBasisOptions, openLinearBasis } from './open-linear-basis.ts';
