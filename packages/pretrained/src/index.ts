export { listPretrained, PRETRAINED_DEFAULT, type PretrainedModel, pretrainedUrl } from './pretrained.ts';
