/**
 * Level count against level step, on a whole training step of ResNet-8 at p = 0.9: what is gained where no values are
 * wanted. Both must find the same cycles. No goal of its own.
 */
import { resolveConfig } from '../src/arch/machine.js';
import { machineKind } from '../src/arch/registry.js';
import { mustEqual, PRECISIONS, resnet8Training } from './data.js';
import { bestCpu, noted, shown, type GoalLine } from './support.js';
import { TextTable } from './textTable.js';

const MACHINES = ['tetris', 'masked', 'sparsetrain'];

export function trainCount(): Promise<GoalLine[]> {
  const table = new TextTable(['s of CPU', 'step', 'count', 'count, x step']);
  const lines = PRECISIONS.flatMap((precision) => {
    const works = resnet8Training(precision);
    return MACHINES.map((name) => {
      const kind = machineKind(name);
      const machine = kind.configure(resolveConfig(kind, {}));
      const step = (): number[] => works.map((work) => machine.step(work).counters.cycles);
      const count = (): number[] => works.map((work) => machine.count(work).cycles);
      mustEqual(`${name}, cycles by layer and phase`, count(), step());
      const [stepped, counted] = bestCpu([() => step()[0], () => count()[0]], 3, 0.1);
      table.row([`${name}, ${precision}`, shown(stepped), shown(counted), shown(stepped / counted)]);
      return noted(`count of a training step, ${name}, ${precision}`, stepped / counted, 'x step');
    });
  });
  console.log(table.toString());
  return Promise.resolve(lines);
}
