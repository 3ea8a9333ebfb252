import { existsSync, readdirSync, statSync } from 'node:fs';
import type { Dataset } from '@voxface/datasets';
import {
  DATASET_KINDS,
  type DatasetKind,
  type OpenDatasetOptions,
  openDataset,
} from '@voxface/datasets/node';
import { UsageError } from './errors.ts';

/**
 * Opens the dataset that the arguments name.
 * @param kindOption what the kind's option is called.
 * @throws UsageError when there is no such kind, nothing at the path, or an empty folder.
 */
export async function openData(
  path: string,
  kind: string | undefined,
  kindOption: string,
  options: Omit<OpenDatasetOptions, 'kind'> = {},
): Promise<Dataset> {
  if (kind !== undefined) checkDatasetKind(kind, kindOption);
  if (!existsSync(path)) throw new UsageError(`no such file or folder: ${path}`);
  if (statSync(path).isDirectory() && readdirSync(path).length === 0) {
    throw new UsageError(`the folder ${path} is empty, expected a dataset`);
  }
  return openDataset(path, { ...options, kind: kind as DatasetKind | undefined });
}

/** @throws UsageError when there is no such kind of dataset. */
export function checkDatasetKind(kind: string, option: string): void {
  if (!(DATASET_KINDS as readonly string[]).includes(kind)) {
    throw new UsageError(`${option}: expected one of ${DATASET_KINDS.join(', ')}, got ${kind}`);
  }
}
