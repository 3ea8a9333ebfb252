import { vi } from 'vitest';
import { runCli } from '../src/program.ts';

/** Runs the command line in this process; returns exit code and everything printed. */
export async function run(...args: string[]): Promise<{ code: number; output: string; errors: string }> {
  const printed = { output: '', errors: '' };
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((...parts) => {
      printed.output += `${parts.join(' ')}\n`;
    }),
    vi.spyOn(console, 'error').mockImplementation((...parts) => {
      printed.errors += `${parts.join(' ')}\n`;
    }),
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed.output += text;
      return true;
    }),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      printed.errors += text;
      return true;
    }),
  ];
  try {
    return { code: await runCli(args), ...printed };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
