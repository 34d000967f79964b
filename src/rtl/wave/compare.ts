/** Two waveforms of the same signals, value by value in every cycle: that of the model and that of the Verilog. */
import type { WaveSource } from '../../wave/wave.js';
import { mayBeUnknown } from './twin.js';

export interface WaveComparison {
  signals: number;
  /** Values that both know and that are equal. */
  equal: number;
  /** The first few that differ. */
  differences: string[];
}

const MOST_SHOWN = 10;

/** @param rtl its variables are some of the model's, by the same ids */
export function compareWaves(model: WaveSource, rtl: WaveSource, to: number): WaveComparison {
  const result: WaveComparison = { signals: rtl.variables.length, equal: 0, differences: [] };
  const ids = new Map(rtl.variables.map((variable, i) => [variable.id, i]));
  const ours = rtl.variables.map(() => 'x');
  const theirs = rtl.variables.map(() => 'x');
  const compare = (cycle: number): void =>
    rtl.variables.forEach(({ scope, name }, i) => {
      const [a, b] = [ours[i], theirs[i]];
      if (a === b) {
        if (a !== 'x') result.equal++;
        return;
      }
      // What the model does not know is not compared; what the Verilog does not know must be allowed to be so.
      if (a === 'x' || (b === 'x' && mayBeUnknown(name))) return;
      if (result.differences.length < MOST_SHOWN)
        result.differences.push(
          `cycle ${cycle}, ${scope.join('.')}.${name}: the model has ${a}, the Verilog ${b}`,
        );
    });
  const take = (text: string, values: string[]): void => {
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const [digits, id] = line[0] === 'b' ? line.slice(1).split(' ') : [line[0], line.slice(1)];
      const i = ids.get(id);
      if (i !== undefined) values[i] = digits;
    }
  };
  take(model.initial(), ours);
  take(rtl.initial(), theirs);
  compare(model.span.from);
  const rtlChanges = rtl.changesByCycle(to);
  for (const [cycle, text] of model.changesByCycle(to)) {
    take(text, ours);
    take(rtlChanges.next().value?.[1] ?? '', theirs);
    compare(cycle);
  }
  return result;
}
