// Writes docs/command-line.md from the help texts of the voxface package. Run it from the root after changing a command:
// npx -y pnpm@12 cli-reference (with --check: only says whether the page is up to date).
import { readFileSync, writeFileSync } from 'node:fs';
import { createProgram } from '../packages/voxface/src/program.ts';

const PAGE = 'docs/command-line.md';
const INTRODUCTION = `# The voxface command

\`npm i -g voxface\`, or \`npx voxface COMMAND\`. This page is written by \`scripts/write-cli-reference.mjs\` from the
commands' own help.

- Long work prints progress with rate and time left: one line that moves on a terminal, plain lines elsewhere.
- Exit codes: 0 done, 1 the work failed (for some file; the others are still done), 2 bad arguments.
- \`--model\` takes the name of a shipped model, the folder of a saved one, or an \`.onnx\` file where the text says so.
`;

function helpOf(command) {
  let text = '';
  command.configureHelp({ helpWidth: 110 });
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => 110,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text.trim();
}

function sectionsOf(command, path, level) {
  const own = `${'#'.repeat(level)} ${path}\n\n\`\`\`\n${helpOf(command)}\n\`\`\`\n`;
  return [
    own,
    ...command.commands.flatMap((child) => sectionsOf(child, `${path} ${child.name()}`, level + 1)),
  ];
}

const program = createProgram(() => {});
const sections = [
  `## voxface\n\n\`\`\`\n${helpOf(program)}\n\`\`\`\n`,
  ...program.commands.flatMap((command) => sectionsOf(command, `voxface ${command.name()}`, 2)),
];
const page = [INTRODUCTION, ...sections].join('\n');
if (process.argv.includes('--check')) {
  if (readFileSync(PAGE, 'utf8') !== page) {
    console.error(`${PAGE} is out of date (run: npx -y pnpm@12 cli-reference)`);
    process.exitCode = 1;
  }
} else {
  writeFileSync(PAGE, page);
  console.log(`wrote ${PAGE}`);
}
