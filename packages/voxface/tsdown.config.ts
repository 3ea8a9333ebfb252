import { packageBuild } from '../../tsdown.base.ts';

export default packageBuild({
  bin: 'src/bin.ts',
  index: 'src/index.ts',
  'face-api-worker': 'src/bench/face-api-worker.ts',
});
