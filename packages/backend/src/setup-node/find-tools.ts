import { runCommand } from './run-command.ts';

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
