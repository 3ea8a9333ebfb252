import { LATER_TABLES } from './later-tables.ts';
import { PAPER_TABLES } from './paper-tables.ts';

/** A line of a published table. */
export interface PublishedRow {
  readonly method: string;
  /** Percent, one per column; null where the source has no figure. */
  readonly values: readonly (number | null)[];
  /** Where the line was read, if not in the table's own source. */
  readonly source?: string;
}

/** A published table as data; fits `formatReport` where the columns agree. */
export interface PublishedTable {
  /** Such as `IV-68` for the 68-point half of Table IV. */
  readonly name: string;
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly PublishedRow[];
  readonly source: string;
  /** Name of the protocol that gives comparable figures, see `PROTOCOLS`. */
  readonly protocol?: string;
}

/** Tables I to IX of the paper and later results, by name. */
export const PUBLISHED: Readonly<Record<string, PublishedTable>> = Object.fromEntries(
  [...PAPER_TABLES, ...LATER_TABLES].map((table) => [table.name, table]),
);

/** The tables whose figures a protocol can be compared with. */
export function findPublished(protocol: string): PublishedTable[] {
  return Object.values(PUBLISHED).filter((table) => table.protocol === protocol);
}
