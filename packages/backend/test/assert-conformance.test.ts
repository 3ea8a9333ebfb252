import { getKernel, type KernelConfig, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { assertConformance, runConformance, summarizeConformance } from '../src/conformance.ts';
import { setupBackend } from '../src/index.ts';

function replaceKernel(kernelFunc: KernelConfig['kernelFunc']): void {
  const original = getKernel('Sigmoid', 'cpu');
  const put = (config: KernelConfig) => {
    unregisterKernel('Sigmoid', 'cpu');
    registerKernel(config);
  };
  put({ ...original, kernelFunc });
  onTestFinished(() => put(original));
}

describe('assertConformance', () => {
  it('accepts a report without failures', async () => {
    await setupBackend('cpu');
    const report = await runConformance({ backend: 'cpu', only: 'Sigmoid' });
    expect(report.checks).toBeGreaterThan(3);
    assertConformance(report, 'nothing to do');
    expect(summarizeConformance(report)).toMatch(/^cpu: all \d+ checks against cpu passed/);
  });

  it('names the first failing check and its error in one line', async () => {
    await setupBackend('cpu');
    // The gradient of the sigmoid reads its output: with the identity in its place it is x (1 - x), not 1.
    replaceKernel(({ inputs, backend }) => {
      (backend as { incRef(id: object): void }).incRef(inputs.x!.dataId);
      const { dataId, shape, dtype } = inputs.x!;
      return { dataId, shape, dtype };
    });
    const report = await runConformance({ backend: 'cpu', only: 'Sigmoid' });
    expect(report.passed).toBe(false);
    expect(() => assertConformance(report, 'try again')).toThrow(
      /^assertConformance: every check must pass on cpu, got \d of \d+ failed, first Sigmoid \[3,5,7\] #3, difference: error .+, allowed 0\.03 \(try again\)$/,
    );
  });

  it('gives the reason of a kernel that throws, without its further lines', async () => {
    await setupBackend('cpu');
    let calls = 0;
    replaceKernel(() => {
      calls++;
      throw new Error('no shader\nand a long log');
    });
    const report = await runConformance({ backend: 'cpu', only: 'Sigmoid [' });
    expect(calls).toBe(1);
    expect(() => assertConformance(report, 'try again')).toThrow(/forward: no shader \(try again\)$/);
  });
});
