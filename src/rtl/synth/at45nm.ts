/**
 * The first coefficients of this project (SPEC section 9), of an earlier synthesis at 45 nm. Machines are compared by
 * them. They stand beside what `make synth` measures at another node and are never mixed with it.
 */
import type { Precision } from '../../quantize.js';
import type { CoefficientSet, UnitCoefficients } from './coefficients.js';

const SOURCE = 'synthesis at 45 nm typical by this project, logic only';

/** SPEC section 9 says no more than this. */
const ABOUT_A_THIRD = 1 / 3;

const unit = (
  name: UnitCoefficients['unit'],
  precision: Precision,
  lanes: number,
  area: number,
  energy?: [operation: string, picojoules: number],
): UnitCoefficients => ({
  unit: name,
  precision,
  units: 1,
  lanes,
  area,
  ...(energy
    ? { energy: { [name === 'macUnit' ? 'cycle' : 'word']: { operation: energy[0], pJ: energy[1] } } }
    : {}),
});

export const AT_45_NM: CoefficientSet = {
  name: '45nm',
  node: '45 nm',
  source: SOURCE,
  areaUnit: 'um2',
  clock: '250 MHz (energy)',
  notes: [
    'Typical corner, logic only: no wires, no SRAM, no glitches.',
    'SAC units are without throttle buffers and windows; sacBufferShare is what these add to a unit of 16 lanes.',
    'Energy: one lane, random weights of 31 % bit density.',
    'The library is not named by the source and the run cannot be repeated from this repository.',
  ],
  sacBufferShare: { int8: ABOUT_A_THIRD, int16: ABOUT_A_THIRD },
  units: [
    unit('macUnit', 'int8', 1, 1232, ['cycle', 3.0]),
    unit('macUnit', 'int8', 16, 10_796),
    unit('sacUnit', 'int8', 1, 5160, ['kneaded word', 9.5]),
    unit('sacUnit', 'int8', 16, 35_722),
    unit('rowPe', 'int8', 3, 2647),
    unit('kneader', 'int8', 1, 1609),
    unit('macUnit', 'int16', 1, 3276, ['cycle', 5.0]),
    unit('macUnit', 'int16', 16, 38_305),
    unit('sacUnit', 'int16', 1, 17_466, ['kneaded word', 29.4]),
    unit('sacUnit', 'int16', 16, 141_239),
    unit('rowPe', 'int16', 3, 7994),
    unit('kneader', 'int16', 1, 3307),
  ],
};
