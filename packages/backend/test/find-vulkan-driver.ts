import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setupBackend } from '../src/index.ts';
import { hasVulkanDriver } from '../src/setup/prepare-gpu.ts';

const MANIFEST = 'vk_swiftshader_icd.json';

/**
 * Lets Dawn find a Vulkan driver: one that is installed for a graphics device, or already named by the environment, stays; otherwise the emulated
 * one that comes with Chromium is named. Vulkan reads the variable when Dawn first asks for an adapter.
 *
 * @returns what will be used, for messages; undefined when there is none.
 */
export async function findVulkanDriver(): Promise<string | undefined> {
  const named = process.env.VK_DRIVER_FILES || process.env.VK_ICD_FILENAMES;
  if (named) return named;
  // Without a graphics device the drivers that Debian installs beside the loader lead to no adapter, or to one that Dawn refuses.
  if (existsSync('/dev/dri') && (await hasVulkanDriver())) return 'the installed driver';
  const browser = process.env.VOXFACE_CHROMIUM ?? '/usr/bin/chromium';
  const manifest = [dirname(browser), '/usr/lib/chromium']
    .map((folder) => join(folder, MANIFEST))
    .find(existsSync);
  if (manifest !== undefined) process.env.VK_ICD_FILENAMES = manifest;
  return manifest;
}

/**
 * Sets webgpu up after cpu, for tests that compare the two.
 * @param what the tests, as the line that says that they are skipped names them.
 * @returns why it is lacking, and whether to skip: never where VOXFACE_REQUIRE_WEBGPU is set.
 */
export async function openWebgpu(what: string): Promise<{ lacking: string | undefined; isSkipped: boolean }> {
  const driver = await findVulkanDriver();
  await setupBackend('cpu');
  const outcome = await setupBackend('webgpu').catch((error: Error) => error);
  if (!(outcome instanceof Error)) return { lacking: undefined, isSkipped: false };
  const lacking = `${outcome.message} (Vulkan driver: ${driver ?? 'none'})`;
  console.log(`${what} SKIPPED: ${lacking}`);
  return { lacking, isSkipped: !process.env.VOXFACE_REQUIRE_WEBGPU };
}
