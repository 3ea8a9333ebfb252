import { CommanderError } from 'commander';
import { describeError, UsageError } from './errors.ts';
import { createProgram } from './program.ts';

/**
 * Runs the command line.
 * @param args arguments after the program's name.
 * @returns the exit code: 0 done, 1 the work failed, 2 bad arguments.
 */
export async function runCli(args: readonly string[]): Promise<number> {
  let code = 0;
  const program = createProgram((exitCode) => {
    code = exitCode;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    console.error(`voxface: ${describeError(error)}`);
    return error instanceof UsageError ? 2 : 1;
  }
}
