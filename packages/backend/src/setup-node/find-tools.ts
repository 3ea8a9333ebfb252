import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** A program with the arguments that always come first, such as `['python3', '-m', 'pip']`. */
export type Command = readonly [string, ...string[]];

const PIP_COMMANDS: readonly Command[] = [
  ['python3', '-m', 'pip'],
  ['python', '-m', 'pip'],
  ['pip3'],
  ['pip'],
];

async function answers(command: Command): Promise<boolean> {
  const { code } = await runCommand(command[0], [...command.slice(1), '--version']);
  return code === 0;
}

async function firstThatAnswers(commands: readonly Command[]): Promise<Command | undefined> {
  for (const command of commands) if (await answers(command)) return command;
  return undefined;
}

/**
 * Finds pip, through Python or as a program of its own.
 *
 * @param commands Commands to try, in order.
 * @throws Error when none answers `--version`.
 */
export async function findPip(commands: readonly Command[] = PIP_COMMANDS): Promise<Command> {
  const found = await firstThatAnswers(commands);
  if (found) return found;
  throw new Error(
    `findPip: Python with pip is needed to fetch TensorFlow, got no answer from ${commands.map((c) => c.join(' ')).join(', ')} ` +
      '(install python3-pip, or download a tensorflow-cpu wheel elsewhere and pass it as wheel)',
  );
}

/**
 * Finds a C++ compiler: `CXX` of the environment, else g++, c++ or clang++.
 *
 * @param commands Commands to try, in order.
 * @throws Error when none answers `--version`.
 */
export async function findCompiler(commands: readonly Command[] = compilerCommands()): Promise<Command> {
  const found = await firstThatAnswers(commands);
  if (found) return found;
  throw new Error(
    `findCompiler: a C++17 compiler is needed to build the addon, got no answer from ${commands.map((c) => c.join(' ')).join(', ')} ` +
      '(install g++ or clang, or name one in the variable CXX)',
  );
}

function compilerCommands(): Command[] {
  const configured = (process.env.CXX ?? '').split(' ').filter((word) => word !== '');
  const standard: Command[] = [['g++'], ['c++'], ['clang++']];
  return configured.length > 0 ? [configured as unknown as Command, ...standard] : standard;
}

/** npm package with the headers of Node-API, for a Node that came without its own. */
const HEADERS_PACKAGE = 'node-api-headers@1.9.0';

/** Folders where a Node installation keeps `node_api.h`, likeliest first. */
export function nodeHeaderDirectories(environment: NodeJS.ProcessEnv = process.env): string[] {
  const prefix = dirname(dirname(process.execPath));
  const version = process.version.slice(1);
  const directories = [join(prefix, 'include', 'node')];
  const configured = environment.npm_config_nodedir;
  if (configured) directories.unshift(join(configured, 'include', 'node'), join(configured, 'src'));
  directories.push(join(homedir(), '.cache', 'node-gyp', version, 'include', 'node'));
  directories.push('/usr/include/node', '/usr/local/include/node');
  return directories;
}

/**
 * Finds the folder with `node_api.h`: the installation's own, or else the npm package `node-api-headers`, fetched.
 * Node-API does not change with the version of Node, so headers of another version serve too.
 *
 * @param workDirectory Folder for the fetched package.
 * @param candidates Folders to look in first.
 * @throws Error when no folder has the header and npm cannot fetch it.
 */
export async function findNodeHeaders(
  workDirectory: string,
  candidates: readonly string[] = nodeHeaderDirectories(),
): Promise<string> {
  const found = candidates.find((directory) => existsSync(join(directory, 'node_api.h')));
  if (found) return found;
  await mkdir(workDirectory, { recursive: true });
  const args = [
    'install',
    '--prefix',
    workDirectory,
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    HEADERS_PACKAGE,
  ];
  const { code, output } = await runCommand('npm', args);
  const directory = join(workDirectory, 'node_modules', 'node-api-headers', 'include');
  if (code === 0 && existsSync(join(directory, 'node_api.h'))) return directory;
  throw new Error(
    `findNodeHeaders: node_api.h is needed to build the addon, got none in ${candidates.join(', ')} ` +
      `and npm said "${firstErrorLine(output)}" (install Node's headers, such as libnode-dev)`,
  );
}

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
