export { type NmeOptions, nme } from './nme.ts';
export {
  boxDiagonal,
  boxSize,
  fixedNormalizer,
  interocular,
  interPupil,
  type Normalizer,
} from './normalizers.ts';
export { type DepthAlignment, pointErrors } from './point-errors.ts';
