export { type LoadedTfjsNode, type LoadTfjsNodeOptions, loadTfjsNode } from './setup-node/load-tfjs-node.ts';
export {
  SETUP_NODE_DEFAULTS,
  type SetupNodeOptions,
  type SetupNodeResult,
  setupNode,
} from './setup-node/setup-node.ts';
export type { SetupRecord } from './setup-node/setup-record.ts';
export { defaultCacheDirectory } from './setup-node/setup-record.ts';
