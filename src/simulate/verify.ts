/** Outputs of a machine against the dense reference. */
import type { LayerWork } from '../arch/machine.js';

/** Every output must equal the dense reference, exactly. */
export function valueViolations(
  machine: string,
  work: LayerWork,
  output: Float64Array,
  expected: Float64Array,
): string[] {
  const where = `${machine}, layer ${work.name}, ${work.phase}`;
  if (output.length !== expected.length)
    return [`${where}: found ${output.length} outputs, expected ${expected.length}`];
  let wrong = 0;
  let first = -1;
  // The comparison is by value: a missing output is NaN, which equals nothing; 0 and -0 are the same sum.
  for (let i = 0; i < output.length; i++)
    if (output[i] !== expected[i]) {
      if (wrong++ === 0) first = i;
    }
  if (wrong === 0) return [];
  return [
    `${where}: ${wrong} of ${output.length} outputs differ from the dense reference, the first ` +
      `at index ${first}: found ${output[first]}, expected ${expected[first]}`,
  ];
}
