/**
 * Random stimuli of a row PE. A series of runs goes through taps of 1 to 4 and both numbers of ports; each mixes kinds,
 * strides, dilations, pieces of kernel rows (fewer taps, negative padding), empty and full rows, and late sources.
 */
import type { Random } from '../../../random.js';
import { rowSpan } from '../../../sparse/rowOperation.js';
import { boundaryCode, randomReady } from '../../stimulus.js';
import type { Hardware } from '../../unit.js';
import type { RowStimulus, RowStimulusOperation, StimulusRow } from './form.js';

const KINDS = ['src', 'msrc', 'osrc'] as const;
const MAGNITUDES = [1, 3, 7, 15, 16];
/** One run in so many has nothing but one kind, and rows that are wide enough for the window to move often. */
const WIDE_EVERY = 4;

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

export function drawRow(random: Random, run: number, given: Hardware = {}): RowStimulus {
  const hardware = {
    taps: 1 + (run % 4),
    ports: (Math.floor(run / 4) % 2 === 0 ? 2 : 1) as 1 | 2,
    magnitudeBits: MAGNITUDES[random.int(MAGNITUDES.length)],
    ...given,
  };
  const { taps, magnitudeBits } = hardware;
  // A PE that is asked for has an accumulator per tap, as the Verilog has by default: no operation is dilated.
  const most = Object.keys(given).length > 0 ? 1 : 3;
  const wide = random.int(WIDE_EVERY) === 0;
  const only = random.int(3) === 0 ? KINDS[random.int(3)] : null;
  const mostDilation = 1 + random.int(most);
  const mostStride = 1 + random.int(4);
  const density = [0, 0.2, 0.5, 0.8, 1];

  /** Of zeros, that are stored too where compression is off, the fewer the denser. */
  const row = (width: number): StimulusRow => {
    const share = density[random.int(density.length)];
    const columns = range(width).filter(() => random.uniform() < share);
    return { columns, values: columns.map(() => boundaryCode(random, magnitudeBits)) };
  };
  const operation = (): RowStimulusOperation => {
    const own = random.int(3) === 0 ? 1 + random.int(taps) : taps;
    const inputWidth = 1 + random.int(wide ? 40 : 12);
    const geometry = {
      taps: own,
      stride: 1 + random.int(mostStride),
      dilation: 1 + random.int(mostDilation),
      padLeft: random.int(6) - 2,
      inputWidth,
      outputWidth: 1 + random.int(wide ? 40 : 12),
    };
    const weights = range(own).map(() => boundaryCode(random, magnitudeBits));
    const kind = only ?? KINDS[random.int(3)];
    const operands = row(kind === 'msrc' ? geometry.outputWidth : inputWidth);
    if (kind === 'src') return { kind, geometry, operands, weights };
    if (kind === 'osrc') return { kind, geometry, operands, gradients: row(geometry.outputWidth) };
    const live = density[random.int(density.length)];
    const mask = range(inputWidth).map((): 0 | 1 => (random.uniform() < live ? 1 : 0));
    return { kind, geometry, operands, weights, mask: random.int(4) === 0 ? null : mask };
  };

  const operations = range(1 + random.int(wide ? 4 : 10)).map(operation);
  const needed = Math.max(taps, ...operations.map(({ geometry }) => rowSpan(geometry)));
  return {
    ...hardware,
    span: needed + (most > 1 && random.int(4) === 0 ? 1 : 0),
    columnBits: 12,
    operations,
    ready: random.int(4) === 0 ? [] : (randomReady(random, random.int(120), 3) as [0 | 1, 0 | 1, 0 | 1][]),
  };
}
