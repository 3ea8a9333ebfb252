import { openContestants } from '../open-contestants.ts';
import type { BenchSection } from './bench-report.ts';
import type { BenchSettings } from './bench-settings.ts';
import { runRounds } from './rounds.ts';

/** Every model on every backend from cropped bytes to landmarks, ONNX Runtime first. */
export async function benchModels(settings: BenchSettings): Promise<BenchSection[]> {
  const sections: BenchSection[] = [];
  for (const model of settings.models) {
    const { contestants, skipped } = await openContestants(model, settings);
    const timings = await runRounds(contestants, settings.rounds, settings.batch);
    for (const contestant of contestants) await contestant.close();
    sections.push({
      title: `Model \`${model}\`, from cropped bytes to landmarks, batch ${settings.batch}`,
      unit: 'face',
      timings,
      notes: skipped,
    });
  }
  return sections;
}
