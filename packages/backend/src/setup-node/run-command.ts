import { spawn } from 'node:child_process';

export interface RunCommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Receives every line of both outputs as it comes. */
  onLine?: (line: string) => void;
}

export interface CommandOutput {
  /** Exit code; 127 when the program does not exist, 128 when a signal ended it. */
  code: number;
  stdout: string;
  /** Both outputs in the order they came. */
  output: string;
}

/** Runs a program without a shell and collects what it prints. Never rejects: the exit code tells. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: RunCommandOptions = {},
): Promise<CommandOutput> {
  return new Promise((resolve) => {
    const child = spawn(command, [...args], {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let output = '';
    const receive = (text: string): void => {
      output += text;
      if (options.onLine)
        for (const line of text.split(/\r?\n/)) if (line.trim() !== '') options.onLine(line);
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      receive(text);
    });
    child.stderr.setEncoding('utf8').on('data', receive);
    child.on('error', (error: NodeJS.ErrnoException) => {
      resolve({ code: error.code === 'ENOENT' ? 127 : 126, stdout, output: output + error.message });
    });
    child.on('close', (code, signal) => {
      resolve({ code: code ?? 128, stdout, output: signal ? `${output}\nended by ${signal}` : output });
    });
  });
}

/** First line that names an error, else the last line that is not empty; at most 300 characters. */
export function firstErrorLine(output: string): string {
  const lines = output.split(/\r?\n/).filter((line) => line.trim() !== '');
  const error = lines.find((line) => /\berror\b|cannot find|no such file/i.test(line));
  return (error ?? lines.at(-1) ?? 'no output').trim().slice(0, 300);
}
