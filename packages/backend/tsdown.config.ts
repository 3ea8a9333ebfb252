import { packageBuild } from '../../tsdown.base.ts';

const binaries = 'node_modules/@tensorflow/tfjs-backend-wasm/wasm-out';

export default packageBuild(
  {
    index: 'src/index.ts',
    conformance: 'src/conformance.ts',
    'setup-node': 'src/setup-node.ts',
  },
  // The wasm backend's binaries and the script of its threads, beside the module that names them by URL.
  {
    copy: ['.wasm', '-simd.wasm', '-threaded-simd.wasm', '-threaded-simd.js'].map(
      (ending) => `${binaries}/tfjs-backend-wasm${ending}`,
    ),
  },
);
