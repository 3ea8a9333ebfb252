// Prints the cost of every preset as a Markdown table, or of one preset layer by layer.
// tsx -C voxface-source scripts/count-presets.mts [PRESET]
import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { buildFaceShapeModel } from '../src/face-shape-model.ts';
import { countOperations, formatOperations, PRESETS, presetOptions, resolveOptions } from '../src/index.ts';

await setBackend('cpu');
const [only] = process.argv.slice(2);
const names = only === undefined ? Object.keys(PRESETS) : [only];
const millions = (value: number): string => (value / 1e6).toFixed(2);
const billions = (value: number): string => (value / 1e9).toFixed(3);
if (only === undefined) {
  console.log(
    '| preset | input | stacks | features | depths | n | G: M params | G: GMAC | P: M params | P: GMAC |',
  );
  console.log('| --- | --: | --: | --: | --- | --: | --: | --: | --: | --: |');
}
for (const name of names) {
  const options = resolveOptions(presetOptions(name));
  const model = buildFaceShapeModel(options);
  const [g, p] = [countOperations(model.estimator), countOperations(model.regressor)];
  model.dispose();
  if (only !== undefined) console.log(`${formatOperations(g)}\n\n${formatOperations(p)}`);
  else {
    const cells = [name, options.inputSize, options.stacks, options.features, options.depths.join(' ')];
    cells.push(options.landmarks, millions(g.parameters), billions(g.operations));
    cells.push(millions(p.parameters), billions(p.operations));
    console.log(`| ${cells.join(' | ')} |`);
  }
}
