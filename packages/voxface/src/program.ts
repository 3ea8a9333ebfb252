import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { addConformance, addSetupNode } from './backend/command.ts';
import { addBench } from './bench/command.ts';
import { addData, addMerge } from './data/command.ts';
import { addEvaluate } from './evaluate/command.ts';
import { addExport } from './export/command.ts';
import { addDemo, addLocalize } from './localize/command.ts';
import { describeError, type SetExitCode, StoppedError, stopCode, UsageError } from './options.ts';
import { addPlot } from './plot/command.ts';
import { addReproduce } from './reproduce/command.ts';
import { addTrain } from './train/command.ts';

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
    if (error instanceof StoppedError) return stopCode();
    console.error(`voxface: ${describeError(error)}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** The command tree of `voxface`. Each command loads what it needs when it runs, so help appears at once. */
export function createProgram(setExitCode: SetExitCode): Command {
  const program = new Command('voxface')
    .description(
      'Finds 2D and 3D face landmarks in photos, trains the networks that find them, and measures them.',
    )
    .version(
      describeVersions(readVersion()),
      '-V, --version',
      'print the versions of voxface and its runtimes',
    )
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      `
Examples:
  voxface localize photos/*.jpg --out found --overlay     the 68 3D landmarks of every face, with images
  voxface evaluate --dataset 300w --root 300w/helen/testset
  voxface train config.json --resume runs/first
  voxface data inspect 300w/afw                           what a folder of annotations contains

Exit codes: 0 success, 1 failure (of at least one file), 2 bad arguments; stopped from outside: 130 by Ctrl-C, 143, 129,
141 when the reader of the output has gone.
Help for a command: voxface COMMAND --help`,
    );
  addLocalize(program, setExitCode);
  addEvaluate(program);
  addTrain(program, setExitCode);
  addReproduce(program);
  addExport(program);
  addData(program, setExitCode);
  addMerge(program, setExitCode);
  addPlot(program);
  addBench(program);
  addConformance(program, setExitCode);
  addSetupNode(program);
  addDemo(program);
  for (const command of program.commands) inheritSettings(command, program);
  return program;
}

function inheritSettings(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inheritSettings(child, command);
}

/** A line each for voxface, Node and the optional runtimes that are installed. */
function describeVersions(version: string): string {
  const { resolve } = createRequire(import.meta.url);
  const runtimes = ['onnxruntime-node', '@tensorflow/tfjs-core', '@tensorflow/tfjs-node', 'webgpu'];
  const found = runtimes.flatMap((name) => {
    try {
      const { version: own } = JSON.parse(readFileSync(findManifest(resolve(name), name), 'utf8'));
      return [`${name} ${own}`];
    } catch {
      return [];
    }
  });
  // The WebAssembly build that comes along: its version is written beside it when the package is built.
  const inside = new URL('./web/onnxruntime-web.version', import.meta.url);
  const own = existsSync(inside) ? [`onnxruntime-web ${readFileSync(inside, 'utf8')} (in this package)`] : [];
  return [`voxface ${version}`, `node ${process.versions.node}`, ...found, ...own].join('\n');
}

/** `package.json` of a package, from the file that its name resolves to. */
function findManifest(file: string, name: string): string {
  const end = join('node_modules', ...name.split('/'));
  return join(file.slice(0, file.lastIndexOf(end) + end.length), 'package.json');
}

function readVersion(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
}
