import { packageBuild } from '../../tsdown.base.ts';

export default packageBuild({
  index: 'src/index.ts',
  node: 'src/node.ts',
  'face-api': 'src/face-api.ts',
  jvcr: 'src/jvcr.ts',
});
