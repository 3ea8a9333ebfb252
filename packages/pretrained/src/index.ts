export {
  listPretrained,
  PRETRAINED_DEFAULT,
  type PretrainedDetector,
  type PretrainedModel,
  pretrainedDetectorUrl,
  pretrainedOnnxUrl,
  pretrainedUrl,
} from './pretrained.ts';
