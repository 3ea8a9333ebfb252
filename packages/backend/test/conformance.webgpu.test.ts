import { describe, expect, it } from 'vitest';
import { runConformance, summarizeConformance } from '../src/conformance.ts';
import { openWebgpu } from './find-vulkan-driver.ts';

const { lacking, isSkipped } = await openWebgpu('conformance of webgpu in Node');

describe.skipIf(isSkipped)('conformance in Node', () => {
  it('of webgpu', async () => {
    expect(lacking, 'VOXFACE_REQUIRE_WEBGPU is set: Chromium and libvulkan1 must be there').toBeUndefined();
    const report = await runConformance({ backend: 'webgpu' });
    expect(report.passed, summarizeConformance(report)).toBe(true);
    expect(report.checks).toBeGreaterThan(400);
  });
});
