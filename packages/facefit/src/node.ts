export {
  createProfiledSet,
  PROFILED_SET_DEFAULTS,
  type ProfiledSetOptions,
  type ProfiledSetReport,
} from './create-profiled-set.ts';
export { openFaceModel } from './open-face-model.ts';
