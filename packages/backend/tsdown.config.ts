import { packageBuild } from '../../tsdown.base.ts';

const binaries = 'node_modules/@tensorflow/tfjs-backend-wasm/wasm-out';

export default packageBuild(
  {
    index: 'src/index.ts',
    conformance: 'src/conformance.ts',
    'setup-node': 'src/setup-node.ts',
  },
  // The wasm backend's binaries, beside the module that names them by URL.
  { copy: ['', '-simd', '-threaded-simd'].map((kind) => `${binaries}/tfjs-backend-wasm${kind}.wasm`) },
);
