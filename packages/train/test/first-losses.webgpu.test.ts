import { setupBackend } from '@voxface/backend';
import { describe, expect, it } from 'vitest';
import { findVulkanDriver } from '../../backend/test/find-vulkan-driver.ts';
import { firstLosses, worstDifference } from './helpers/first-losses.ts';

await findVulkanDriver();
await setupBackend('cpu');
const expected = await firstLosses();
const outcome = await setupBackend('webgpu').catch((error: Error) => error);
const lacking = outcome instanceof Error ? outcome.message : undefined;
if (lacking !== undefined) console.log(`first losses on webgpu in Node SKIPPED: ${lacking}`);

describe.skipIf(lacking !== undefined && !process.env.VOXFACE_REQUIRE_WEBGPU)('webgpu in Node', () => {
  it('the first five losses of a run are those on cpu', async () => {
    expect(lacking).toBeUndefined();
    expect(worstDifference(await firstLosses(), expected)).toBeLessThan(1e-3);
  });
});
