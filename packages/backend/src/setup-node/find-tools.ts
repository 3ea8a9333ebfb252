import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { firstErrorLine, runCommand } from './run-command.ts';

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
