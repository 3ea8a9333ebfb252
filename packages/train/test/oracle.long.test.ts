import { describe, it } from 'vitest';
import type { Execution } from '../src/config.ts';
import { findNativeBackend } from './helpers/native-backend.ts';
import { checkPhase, checkRun, ORACLE_PHASES, ORACLE_RUNS } from './helpers/oracle.ts';

const lacking = await findNativeBackend();
const ways: ['cpu' | 'node', Execution][] = [['cpu', 'kernels']];
if (lacking === undefined) ways.push(['node', 'graph']);

describe.each(ORACLE_PHASES)(
  '$phase phase recorded, against PyTorch, shared encoder $shared, $form',
  (expected) => {
    it.each(ways)('on %s: %s', (backend, execution) => checkPhase(expected, backend, execution));
  },
);

describe.each(ORACLE_RUNS)('Algorithm 1 against PyTorch, shared encoder $shared', (expected) => {
  it('takes the same fourteen steps to the same weights', () => checkRun(expected, expected.steps.length));
});
