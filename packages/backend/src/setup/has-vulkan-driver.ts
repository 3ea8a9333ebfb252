import { importHidden } from './import-hidden.ts';

const FOLDERS = ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/etc/vulkan/icd.d'];

/**
 * Whether a Vulkan driver is installed, told by its manifest; always true outside Linux. Dawn writes warnings to stderr
 * when it looks for a driver and there is none, so `auto` asks the disk first.
 */
export async function hasVulkanDriver(): Promise<boolean> {
  if (process.platform !== 'linux' || process.env.VK_ICD_FILENAMES || process.env.VK_DRIVER_FILES)
    return true;
  const { existsSync, readdirSync } = await importHidden<typeof import('node:fs')>('node:fs');
  const folders = [...FOLDERS, `${process.env.HOME ?? ''}/.local/share/vulkan/icd.d`];
  return folders.some((folder) => existsSync(folder) && readdirSync(folder).length > 0);
}
