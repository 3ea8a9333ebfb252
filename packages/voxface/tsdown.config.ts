import { packageBuild } from '../../tsdown.base.ts';

export default packageBuild({
  bin: 'src/bin.ts',
  index: 'src/index.ts',
  bench: 'src/bench.ts',
  'photo-worker': 'src/photos/photo-worker.ts',
});
