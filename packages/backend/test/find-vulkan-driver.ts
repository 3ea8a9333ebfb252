import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
