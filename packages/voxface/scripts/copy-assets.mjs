// Part of the build: puts what a page loads by address beside the built modules. The weights come from the build of
// @voxface/pretrained, ONNX Runtime's WebAssembly (MIT) from onnxruntime-web.
import { copyFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const distOf = (name) => fileURLToPath(new URL(`../dist/web/${name}`, import.meta.url));
const weights = (name) => fileURLToPath(new URL(`../../pretrained/dist/${name}`, import.meta.url));

// Node loads the module as well; pages have it in their bundle.
for (const name of ['ort-wasm-simd-threaded.wasm', 'ort-wasm-simd-threaded.mjs']) {
  copyFileSync(require.resolve(`onnxruntime-web/${name}`), distOf(name));
}
for (const name of ['small.onnx', 'detector-tiny.onnx']) copyFileSync(weights(name), distOf(name));
