// The page of scripts/backend/make-backends-table.mts: runs the conformance suite on a backend of the browser and reports.
// Query: ?backend=webgl&mode=stock (as it comes from npm) or mode=ours (after setupBackend).
import { ready, setBackend } from '@tensorflow/tfjs-core';
import { runConformance } from '../src/conformance.ts';
import { setupBackend } from '../src/index.ts';
import { kernelStates } from './kernel-states.ts';

const query = new URLSearchParams(globalThis.location.search);
const backend = query.get('backend') as 'webgl' | 'webgpu';

await setupBackend('cpu');
if (query.get('mode') === 'ours') {
  await setupBackend(backend);
} else {
  await (backend === 'webgl'
    ? import('@tensorflow/tfjs-backend-webgl')
    : import('@tensorflow/tfjs-backend-webgpu'));
  await setBackend(backend);
  await ready();
}
(globalThis as { report?: object }).report = kernelStates(await runConformance({ backend }));
