import { arithmeticCases } from './arithmetic-cases.ts';
import type { ConformanceCase } from './case.ts';
import { convolutionCases } from './convolution-cases.ts';
import { poolingCases } from './pooling-cases.ts';

export type { ConformanceCase } from './case.ts';

/** Every kernel and size that the suite compares. */
export function conformanceCases(): ConformanceCase[] {
  return [...convolutionCases(), ...poolingCases(), ...arithmeticCases()];
}
