import { describe, it } from 'vitest';
import { checkPhase, ORACLE_PHASES } from './helpers/oracle.ts';

describe('every phase against PyTorch', () => {
  it.each(ORACLE_PHASES)('$phase, shared encoder $shared, $form', (expected) =>
    checkPhase(expected, 'cpu', 'tape'),
  );
});
