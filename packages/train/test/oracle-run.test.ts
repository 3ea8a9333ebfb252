import { describe, it } from 'vitest';
import { checkRun, ORACLE_RUNS } from './helpers/oracle.ts';

/** Pre-training, mixture, and adversarial steps enough for mu and each update to show in the losses of the next. */
const STEPS = 8;

describe('Algorithm 1 against PyTorch', () => {
  it.each(ORACLE_RUNS)('takes the same first eight steps, shared encoder $shared', (expected) =>
    checkRun(expected, STEPS),
  );
});
