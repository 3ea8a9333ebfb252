/** The user's arguments are wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The work failed for a reason that one line can tell: exit code 1. */
export class WorkError extends Error {
  override readonly name = 'WorkError';
}

/** One line for the terminal; the stack only with VOXFACE_DEBUG set. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return process.env.VOXFACE_DEBUG ? (error.stack ?? error.message) : error.message.split('\n')[0];
}
