import { packageBuild } from '../../tsdown.base.ts';

export default packageBuild({
  index: 'src/index.ts',
  node: 'src/node.ts',
  web: 'src/web.ts',
  export: 'src/export.ts',
  'export-node': 'src/export-node.ts',
});
