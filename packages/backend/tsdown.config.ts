import { packageBuild } from '../../tsdown.base.ts';

export default packageBuild({
  index: 'src/index.ts',
  conformance: 'src/conformance.ts',
  'setup-node': 'src/setup-node.ts',
});
