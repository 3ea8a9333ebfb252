import { describe, expect, it } from 'vitest';
import { runConformance, summarizeConformance } from '../src/conformance.ts';
import { setupBackend } from '../src/index.ts';
import { findVulkanDriver } from './find-vulkan-driver.ts';

const driver = await findVulkanDriver();
await setupBackend('cpu');
const outcome = await setupBackend('webgpu').catch((error: Error) => error);
const lacking =
  outcome instanceof Error ? `${outcome.message} (Vulkan driver: ${driver ?? 'none'})` : undefined;
const isRequired = Boolean(process.env.VOXFACE_REQUIRE_WEBGPU);

if (lacking !== undefined) console.log(`conformance of webgpu in Node SKIPPED: ${lacking}`);

describe.skipIf(lacking !== undefined && !isRequired)('conformance in Node', () => {
  it('of webgpu', async () => {
    expect(lacking, 'VOXFACE_REQUIRE_WEBGPU is set: Chromium and libvulkan1 must be there').toBeUndefined();
    const report = await runConformance({ backend: 'webgpu' });
    expect(report.passed, summarizeConformance(report)).toBe(true);
    expect(report.checks).toBeGreaterThan(400);
  });
});
