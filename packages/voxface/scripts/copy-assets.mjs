// Part of the build: puts what a page loads by address beside the built modules. The weights come from the build of
// @voxface/pretrained, ONNX Runtime's WebAssembly (MIT) from onnxruntime-web.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const distOf = (name) => fileURLToPath(new URL(`../dist/web/${name}`, import.meta.url));
const weights = (name) => fileURLToPath(new URL(`../../pretrained/dist/${name}`, import.meta.url));

const runtime = dirname(require.resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm'));
for (const name of ['ort-wasm-simd-threaded.wasm', 'ort-wasm-simd-threaded.mjs']) {
  copyFileSync(join(runtime, name), distOf(name));
}
// Node loads the module above; pages one that has it inside, under a name that every server knows as JavaScript.
const bundle = readFileSync(join(runtime, 'ort.wasm.bundle.min.mjs'), 'utf8');
writeFileSync(
  distOf('ort.wasm.bundle.min.js'),
  bundle.replaceAll('ort.wasm.bundle.min.mjs', 'ort.wasm.bundle.min.js'),
);
for (const name of ['small-int8.onnx', 'detector-tiny.onnx']) copyFileSync(weights(name), distOf(name));
// What `voxface --version` says of it.
const { version } = JSON.parse(readFileSync(join(runtime, '../package.json'), 'utf8'));
writeFileSync(distOf('onnxruntime-web.version'), version);
