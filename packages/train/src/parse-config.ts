import { z } from 'zod';
import { type TrainingConfig, trainingConfigSchema } from './config.ts';

/**
 * Checks a configuration and fills in the defaults. `$schema` is for editors and is dropped.
 * @param source what the message calls it, usually the file name.
 * @throws RangeError that lists every wrong field with its rule, and what an unknown name is likely to mean.
 * @example
 * ```js
 * import { experimentConfig, parseTrainingConfig } from '@voxface/train';
 *
 * const { model } = parseTrainingConfig(experimentConfig('table8-mix', 'small'));
 * console.log(model.preset); // => small
 * ```
 */
export function parseTrainingConfig(value: unknown, source = 'configuration'): TrainingConfig {
  const result = trainingConfigSchema.safeParse(value);
  if (!result.success) {
    const lines = result.error.issues.flatMap((issue) => describeIssue(issue, value));
    throw new RangeError(`parseTrainingConfig: ${source} has ${lines.length} errors: ${lines.join('; ')}`);
  }
  const { $schema: _, ...config } = result.data as TrainingConfig & { $schema?: string };
  checkConfig(config, source);
  return config;
}

/**
 * JSON schema (draft 2020-12) of a configuration as written, with a description of each field: what editors complete and check by.
 * The package ships it as `training-config.schema.json`.
 * @internal
 */
export function trainingConfigJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(trainingConfigSchema, { io: 'input' });
  return { $schema, title: 'Training configuration of voxface', ...schema };
}

type Issue = z.core.$ZodIssue;

/** One line per fault. */
function describeIssue(issue: Issue, value: unknown): string[] {
  const place = (more: readonly PropertyKey[] = []): string =>
    [...issue.path, ...more].map(String).join('.') || '(root)';
  if (issue.code === 'unrecognized_keys') {
    const known = fieldsAt(issue.path);
    return issue.keys.map((key) => `${place([key])}: no such field${suggest(key, known)}`);
  }
  if (issue.code === 'invalid_value') {
    const got = valueAt(value, issue.path);
    const names = issue.values.map(String);
    return [
      `${place()}: expected one of ${names.join(', ')}, got ${JSON.stringify(got)}${typeof got === 'string' ? suggest(got, names, false) : ''}`,
    ];
  }
  if (issue.code === 'invalid_union') {
    // The alternative that got farthest says most: an object with a wrong field rather than "expected false".
    const deepest = issue.errors.find((errors) =>
      errors.every(({ code, path }) => code === 'unrecognized_keys' || path.length > 0),
    );
    if (deepest) {
      return deepest.flatMap((inner) =>
        describeIssue({ ...inner, path: [...issue.path, ...inner.path] } as Issue, value),
      );
    }
  }
  return [`${place()}: ${issue.message}`];
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value);
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** Names of the fields of the object at a path. */
function fieldsAt(path: readonly PropertyKey[]): string[] {
  let schemas: JsonSchema[] = [trainingConfigJsonSchema() as JsonSchema];
  for (const key of [...path, undefined]) {
    schemas = schemas.flatMap((schema) => [schema, ...(schema.anyOf ?? [])]);
    if (key === undefined) break;
    schemas = schemas.flatMap(({ properties, items }) => {
      const next = typeof key === 'number' ? items : properties?.[String(key)];
      return next ? [next] : [];
    });
  }
  return schemas.flatMap(({ properties }) => Object.keys(properties ?? {}));
}

/** The likeliest names for a misspelt one; where none is near, all of a short list. */
function suggest(name: string, known: readonly string[], listOthers = true): string {
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  const near = known
    .map((other) => ({ other, distance: editDistance(plain(name), plain(other)) }))
    .filter(({ other, distance }) => distance <= Math.max(1, Math.floor(other.length / 3)))
    .sort((a, b) => a.distance - b.distance);
  const best = near.filter(({ distance }) => distance === near[0].distance).map(({ other }) => other);
  if (best.length > 0) return ` (did you mean ${best.join(' or ')}?)`;
  return listOthers && known.length > 0 ? ` (known here: ${known.join(', ')})` : '';
}

/** Letters to insert, delete, replace or swap with the next. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  for (let j = 0; j <= b.length; j++) rows[0][j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
      }
    }
  }
  return rows[a.length][b.length];
}

/** Rules between fields. */
function checkConfig(config: TrainingConfig, source: string): void {
  const { data, stages, batchSize, accumulate, workers, share2d } = config;
  const parts = accumulate * workers;
  const mixed = stages.some((stage) => stage.kind === 'mixed' || stage.kind === 'adversarial');
  const only3d = stages.find((stage) => stage.kind !== 'mixed');
  const problems: [boolean, string][] = [
    [
      batchSize % parts !== 0,
      `batchSize: must be divisible by workers x accumulate (${parts}), got ${batchSize}`,
    ],
    [
      only3d !== undefined && data.train3d.length === 0,
      `data.train3d: stage '${only3d?.kind}' needs 3D samples, got none`,
    ],
    [
      stages.some(({ until }) => until !== undefined) && data.validation.length === 0,
      'data.validation: a stage with until is measured on a 3D validation set, got none',
    ],
    [
      workers > 1 && accumulate > 1,
      `accumulate: must be 1 with several workers, got ${accumulate} (each worker is a part already)`,
    ],
    [
      workers > 1 && config.backend === 'current',
      "backend: must be named with several workers, got 'current' (each worker sets its own up)",
    ],
    [
      mixed && share2d > 0 && data.train2d.length === 0,
      'data.train2d: mixed stages need 2D samples, got none (or set share2d to 0)',
    ],
  ];
  const found = problems.filter(([wrong]) => wrong).map(([, text]) => text);
  if (found.length > 0) throw new RangeError(`parseTrainingConfig: ${source}: ${found.join('; ')}`);
}
