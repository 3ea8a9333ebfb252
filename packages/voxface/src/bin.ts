#!/usr/bin/env node
import { endWithItsReaders } from './options.ts';
import { runCli } from './program.ts';

endWithItsReaders();
process.exitCode = await runCli(process.argv.slice(2));
