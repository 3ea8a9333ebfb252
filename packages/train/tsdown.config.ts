import { packageBuild } from '../../tsdown.base.ts';

export default packageBuild({
  index: 'src/index.ts',
  node: 'src/node.ts',
  'replica-worker': 'src/node/replica-worker.ts',
});
