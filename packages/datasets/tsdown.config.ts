import { packageBuild } from '../../tsdown.base.ts';

export default packageBuild({
  index: 'src/index.ts',
  node: 'src/node.ts',
  web: 'src/web.ts',
  'crop-worker': 'src/node/crop-worker.ts',
});
