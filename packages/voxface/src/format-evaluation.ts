import type { Evaluation } from '@voxface/metrics';

const percent = (value: number): number => Math.round(value * 1e6) / 1e4;

/** The result as `evaluate --json` writes it: errors in percent. */
export function toPercentJson(evaluation: Evaluation, dataset: string, model: string): object {
  const { nme, bins, binMean, binStd } = evaluation;
  return {
    dataset,
    model,
    protocol: evaluation.protocol,
    count: evaluation.count,
    missed: evaluation.missed,
    nme: { mean: percent(nme.mean), median: percent(nme.median), std: percent(nme.std) },
    bins: bins.map((bin) => ({ ...bin, mean: bin.mean === null ? null : percent(bin.mean) })),
    binMean: binMean === null ? null : percent(binMean),
    binStd: binStd === null ? null : percent(binStd),
    auc: percent(evaluation.auc),
    failureRate: percent(evaluation.failureRate),
    limit: percent(evaluation.limit),
    perImage: evaluation.perImage.map((image) => ({
      ...image,
      nme: image.nme === null ? null : percent(image.nme),
    })),
  };
}

/** The result in a few lines for the terminal. */
export function formatEvaluation(evaluation: Evaluation, dataset: string, model: string): string {
  const { nme, bins, limit } = evaluation;
  const two = (value: number): string => (100 * value).toFixed(2);
  const lines = [
    `${model} on ${dataset}, ${evaluation.protocol}: ${evaluation.count} faces, ${evaluation.missed} missed`,
    `NME ${two(nme.mean)} % (median ${two(nme.median)}, std ${two(nme.std)})`,
    `AUC@${(100 * limit).toFixed(0)} ${two(evaluation.auc)}, failure rate ${two(evaluation.failureRate)} %`,
  ];
  if (bins.length > 0) {
    const cells = bins.map(
      (bin) =>
        `${Number.isFinite(bin.to) ? `${bin.from}-${bin.to}` : `>${bin.from}`}: ${bin.mean === null ? '-' : two(bin.mean)} (${bin.count})`,
    );
    const mean = evaluation.binMean === null ? '-' : two(evaluation.binMean);
    lines.push(`|yaw| ${cells.join('  ')}  bin mean ${mean}`);
  }
  return lines.join('\n');
}
