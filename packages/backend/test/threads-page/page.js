// Prepares wasm from the built package, as a user's page does, and compares convolutions on it with the cpu backend.
// Query: cores (of the machine that the page is to see), threads (asked for).
import * as tf from '@tensorflow/tfjs-core';
import { runConformance } from '../../dist/conformance.js';
import { setupBackend } from '../../dist/index.js';

const query = new URLSearchParams(location.search);
Object.defineProperty(navigator, 'hardwareConcurrency', { value: Number(query.get('cores')) });
const asked = query.has('threads') ? Number(query.get('threads')) : undefined;
await setupBackend('cpu');
const { name, threads, reason } = await setupBackend('wasm', { threads: asked });
const { passed, checks } = await runConformance({ backend: 'wasm', only: 'Conv2D k3' });
const { buffer } = tf.backend().wasm.HEAPU8;
globalThis.report = {
  name,
  threads,
  reason,
  isIsolated: crossOriginIsolated,
  isShared: typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer,
  passed,
  checks,
};
