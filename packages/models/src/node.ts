export { loadModel, loadNetworkWeights } from './weights/load-model.ts';
export { SAVE_MODEL_DEFAULTS, type SaveModelOptions, saveModel, saveNetwork } from './weights/save-model.ts';
