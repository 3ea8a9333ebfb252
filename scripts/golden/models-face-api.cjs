// Boxes that @vladmandic/face-api itself finds in its sample photos, for the port in packages/models.
// Writes packages/models/test/golden/face-api-boxes.json. Run from the root: node scripts/golden/models-face-api.cjs
const { createRequire } = require('node:module');
const Module = require('node:module');
const { writeFileSync } = require('node:fs');
const { dirname, join } = require('node:path');

const models = join(__dirname, '..', '..', 'packages', 'models');
const load = createRequire(join(models, 'package.json'));
const tf = load('@tensorflow/tfjs-core');
const wasm = load('@tensorflow/tfjs-backend-wasm');
const sharp = load('sharp');

// Its Node build asks for the umbrella package and for chained operations; the core gives it both.
const original = Module._load;
Module._load = (name, ...rest) => {
  if (name === '@tensorflow/tfjs') return { ...tf, version: {} };
  return name === '@tensorflow/tfjs-backend-wasm' ? wasm : original(name, ...rest);
};
for (const name of ['div', 'reshape', 'slice', 'expandDims']) {
  tf.Tensor.prototype[name] = function (...args) {
    return tf[name](this, ...args);
  };
}
tf.Tensor.prototype.as3D = tf.Tensor.prototype.as4D = function (...shape) {
  return tf.reshape(this, shape);
};

async function main() {
  const faceapi = load('@vladmandic/face-api/dist/face-api.node-wasm.js');
  const root = dirname(load.resolve('@vladmandic/face-api/package.json'));
  await tf.setBackend('wasm');
  await tf.ready();
  await faceapi.nets.ssdMobilenetv1.loadFromDisk(join(root, 'model'));
  await faceapi.nets.tinyFaceDetector.loadFromDisk(join(root, 'model'));
  const networks = {
    ssd: new faceapi.SsdMobilenetv1Options({ minConfidence: 0.5 }),
    tiny: new faceapi.TinyFaceDetectorOptions({ inputSize: 416, scoreThreshold: 0.5 }),
  };
  const boxes = {};
  for (const photo of ['sample1.jpg', 'sample5.jpg']) {
    const decoded = await sharp(join(root, 'demo', photo))
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const { width, height } = decoded.info;
    const image = tf.tensor3d(new Int32Array(decoded.data), [height, width, 3], 'int32');
    boxes[photo] = {};
    for (const [network, options] of Object.entries(networks)) {
      const faces = await faceapi.detectAllFaces(image, options);
      boxes[photo][network] = faces.map(({ score, box }) =>
        [score, box.x, box.y, box.width, box.height].map((value) => Number(value.toFixed(3))),
      );
    }
  }
  const golden = { script: 'scripts/golden/models-face-api.cjs', boxes };
  writeFileSync(join(models, 'test', 'golden', 'face-api-boxes.json'), `${JSON.stringify(golden)}\n`);
}

main();
