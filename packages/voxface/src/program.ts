import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addBench } from './commands/bench.ts';
import { addConformance } from './commands/conformance.ts';
import { addData } from './commands/data.ts';
import { addDemo } from './commands/demo.ts';
import { addEvaluate } from './commands/evaluate.ts';
import { addExport } from './commands/export.ts';
import { addLocalize } from './commands/localize.ts';
import { addPlot } from './commands/plot.ts';
import { addSetupNode } from './commands/setup-node.ts';
import { addTrain } from './commands/train.ts';

/** Tells the caller which exit code the work ended with when it did not throw. */
export type SetExitCode = (code: number) => void;

/** The command tree of `voxface`. Every command loads what it needs when it runs, so that help is instant. */
export function createProgram(setExitCode: SetExitCode): Command {
  const program = new Command('voxface')
    .description(
      'Finds 2D and 3D face landmarks in photos, trains the networks that find them, and measures them.',
    )
    .version(readVersion())
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      `
Examples:
  voxface localize photos/*.jpg --out found --overlay     68 3D landmarks of every face, with pictures
  voxface evaluate --dataset 300w --root 300w/helen/testset
  voxface train config.json --resume runs/first
  voxface data inspect 300w/afw                           what a folder of annotations holds

Exit codes: 0 done, 1 the work failed (for some file), 2 bad arguments.
Every command explains itself: voxface COMMAND --help`,
    );
  addLocalize(program, setExitCode);
  addEvaluate(program);
  addTrain(program);
  addExport(program);
  addData(program, setExitCode);
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

function readVersion(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
}
