import { describe, expect, it } from 'vitest';
import { runConformance, summarizeConformance } from '../src/conformance.ts';
import { setupBackend } from '../src/index.ts';

describe('conformance', () => {
  for (const backend of ['cpu', 'wasm'] as const) {
    it(`of ${backend}`, async () => {
      await setupBackend('cpu');
      await setupBackend(backend);
      const report = await runConformance({ backend });
      expect(report.passed, summarizeConformance(report)).toBe(true);
      expect(report.checks).toBeGreaterThan(400);
    });
  }
});
