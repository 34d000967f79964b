/** Steps `sim/rowPe.ts` alone through a stimulus, one line per cycle, sampled before the clock edge. */
import type { RowOperation } from '../../../sim/rowPeConfig.js';
import { RowPe } from '../../../sim/rowPe.js';
import type { CompressedRows } from '../../../sparse/rows.js';
import { hex64, mask } from '../../stimulus.js';
import type { RowStimulus, RowStimulusOperation, StimulusRow } from './form.js';

const rowOf = ({ values, columns }: StimulusRow, width: number): CompressedRows => ({
  rows: 1,
  width,
  start: Int32Array.of(0, values.length),
  values: Int32Array.from(values),
  columns: Int32Array.from(columns),
});

function operationOf(op: RowStimulusOperation): RowOperation {
  const { kind, geometry, operands } = op;
  const [streamed, summed] =
    kind === 'src'
      ? [geometry.inputWidth, geometry.outputWidth]
      : kind === 'msrc'
        ? [geometry.outputWidth, geometry.inputWidth]
        : [geometry.inputWidth, geometry.taps];
  return {
    kind,
    geometry,
    operands: rowOf(operands, streamed),
    row: 0,
    gradients: kind === 'osrc' ? rowOf(op.gradients, geometry.outputWidth) : null,
    gradientRow: 0,
    weights: Int32Array.from(kind === 'osrc' ? [] : op.weights),
    weightsAt: 0,
    mask: kind === 'msrc' && op.mask !== null ? Uint8Array.from(op.mask) : null,
    maskAt: 0,
    target: new Float64Array(summed),
    targetAt: 0,
  };
}

export function traceRow(s: RowStimulus, registers: boolean): string[] {
  const { taps, span, ports, ready } = s;
  const pe = new RowPe({ taps, span, ports });
  const operations = s.operations.map(operationOf);
  const lines: string[] = [];
  for (let next = 0; next < operations.length || pe.busy || pe.draining;) {
    const [offersOperation, offersOperand, offersGradient] = ready[lines.length] ?? [1, 1, 1];
    const { busy, draining, nextOperand, nextGradient } = pe;
    const before = registers ? ['|', ...registersOf(pe)] : [];
    pe.cycleLate(offersOperand === 1, offersGradient === 1);
    const ended = busy && !pe.busy;
    const gathers = busy && operations[next - 1].kind === 'osrc';
    const accepted = [
      next < operations.length && !pe.busy && offersOperation === 1,
      ended || (busy && pe.nextOperand !== nextOperand),
      gathers && (ended || pe.nextGradient !== nextGradient),
    ];
    if (accepted[0]) pe.begin(operations[next++]);
    const { retired, retiredColumn, retiredValue } = pe.accumulators;
    const words = [String(lines.length), mask([busy, draining]), mask(accepted), hex64(retired)];
    for (let n = 0; n < retired; n++) words.push(hex64(retiredColumn[n]), hex64(retiredValue[n]));
    lines.push([...words, ...before].join(' '));
  }
  return lines;
}

/** Accumulators with what moves them, then the gradients that are held, the oldest first. */
function registersOf({ registers }: RowPe): string[] {
  const ints = (name: string): Int32Array => registers.ints(name);
  const [head] = ints('windowHead');
  const [count] = ints('windowCount');
  const values = [ints('newest')[0], ints('newestSlot')[0], ...registers.doubles('accumulator'), head, count];
  const [at, value] = [ints('gradientAt'), registers.view('gradientValue')];
  for (let n = 0; n < count; n++) {
    const slot = (head + n) % at.length;
    values.push(at[slot], value[slot]);
  }
  return [mask(ints('touched')), ...values.map(hex64)];
}
