import { parseTrainingConfig } from '../src/parse-config.ts';

/** Configuration of a run that is timed and reads no data. `preset`: its name, or options of a model as JSON. */
export function benchConfig(
  preset: string,
  settings: { batchSize: number; backend: string } & Record<string, unknown>,
) {
  return parseTrainingConfig({
    name: 'bench',
    output: 'none',
    model: preset.startsWith('{') ? JSON.parse(preset) : preset,
    data: { train3d: [{ format: 'packed', root: 'none' }] },
    stages: [{ kind: 'finetune', steps: 1 }],
    ...settings,
  });
}
