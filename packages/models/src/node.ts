export {
  loadDiscriminator,
  loadModel,
  loadNetworkWeights,
  SAVE_MODEL_DEFAULTS,
  type SaveModelOptions,
  saveModel,
  saveNetwork,
} from './weights/model-folder.ts';
