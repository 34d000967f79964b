/**
 * Area and energy of units (SPEC section 9): ratios between units, since areas and energies of different nodes must
 * not be mixed. Theirs are of an earlier synthesis at 45 nm, ours of `make synth` at 180 nm, read from its JSON.
 */
import { machineArea } from '../../../src/arch/area.js';
import type { Coefficient } from '../../../src/arch/coefficient.js';
import { COEFFICIENTS } from '../../../src/arch/coefficients.js';
import { resolveConfig } from '../../../src/arch/machine.js';
import { machineKind } from '../../../src/arch/registry.js';
import type { Precision } from '../../../src/quantize.js';
import type { Claim, Section } from '../claim.js';

const OURS = COEFFICIENTS['osu018_stdcells'];
const PRECISIONS = ['int16', 'int8'] as const;

const REASON =
  'Another node, another library and, for the row PE, other hardware: no tolerance follows from the claim. Logic only.';

function unitOf(unit: Coefficient['unit'], precision: Precision, lanes: number, units = 1): Coefficient {
  const found = OURS.units.find(
    (u) => u.unit === unit && u.precision === precision && u.lanes === lanes && u.units === units,
  );
  if (!found) throw new Error(`no coefficient of ${unit}, ${precision}, ${units} x ${lanes}`);
  return found;
}

/** um2 over that of a MAC unit of so many lanes. */
const overMac = (unit: Coefficient['unit'], precision: Precision, lanes: number, macLanes = lanes): number =>
  unitOf(unit, precision, lanes).um2 / unitOf('macUnit', precision, macLanes).um2;

/** SPEC section 9, um2 and pJ at 45 nm. */
const TRIAL: Record<
  Precision,
  Record<'sac1' | 'sac16' | 'mac1' | 'mac16' | 'row' | 'kneader' | 'word' | 'cycle', number>
> = {
  int16: {
    sac1: 17_466,
    sac16: 141_239,
    mac1: 3276,
    mac16: 38_305,
    row: 7994,
    kneader: 3307,
    word: 29.4,
    cycle: 5,
  },
  int8: {
    sac1: 5160,
    sac16: 35_722,
    mac1: 1232,
    mac16: 10_796,
    row: 2647,
    kneader: 1609,
    word: 9.5,
    cycle: 3,
  },
};

const common = {
  source: 'SPEC 9',
  tag: 'own',
  unit: 'ratio',
  decimals: 2,
  tolerance: null,
  reason: REASON,
  command: 'runner',
} as const;

const ofPrecision = (precision: Precision): Claim[] => {
  const t = TRIAL[precision];
  const row = (id: string, claim: string, theirs: number, ours: () => number): Claim => ({
    ...common,
    id: `units.${id}.${precision}`,
    claim: `${claim}, ${precision}`,
    theirs,
    ours,
  });
  return [
    row('sac1', 'area SAC / MAC, 1 lane', t.sac1 / t.mac1, () => overMac('sacUnit', precision, 1)),
    row('sac16', 'area SAC / MAC, 16 lanes', t.sac16 / t.mac16, () => overMac('sacUnit', precision, 16)),
    row('row', 'area row PE / MAC lane', t.row / t.mac1, () => overMac('rowPe', precision, 3, 1)),
    row('kneader', 'area kneader / MAC lane', t.kneader / t.mac1, () => overMac('kneader', precision, 1)),
    row('buffers', 'buffers, windows / SAC unit', 1 / 3, () => OURS.sacBufferShare[precision]),
    row(
      'word',
      'energy SAC word / MAC cycle',
      t.word / t.cycle,
      () => unitOf('sacUnit', precision, 1).pJ.word / unitOf('macUnit', precision, 1).pJ.cycle,
    ),
  ];
};

const areaOf = (machine: string, precision: Precision): number => {
  const kind = machineKind(machine);
  return machineArea(kind, resolveConfig(kind, {}), precision)!.um2;
};

const CHIPS: Pick<Claim, 'source' | 'tag' | 'theirs' | 'unit' | 'decimals' | 'tolerance'> = {
  source: 'Tetris',
  tag: 'rep',
  theirs: 89.76 / 79.36,
  unit: 'ratio',
  decimals: 2,
  tolerance: null,
};

const arrays = (precision: Precision): Claim[] => [
  {
    ...CHIPS,
    id: `units.array45.${precision}`,
    claim: `area Tetris / dense, 45 nm, ${precision}`,
    ours: () => areaOf('tetris', precision) / areaOf('dadiannao', precision),
    reason:
      'Reported of whole chips at 65 nm, SRAM included, no verdict. Ours: logic of arrays of 16 x 16 x 16, with throttle ' +
      'buffers and windows, by the 45 nm synthesis that budgets use.',
    command: {
      args: [
        'replay',
        '--machine',
        'tetris,dadiannao',
        '--precision',
        precision,
        '--level',
        'count',
        '--json',
      ],
      at: 'machines.0.area.um2 / machines.1.area.um2',
    },
  },
  {
    ...CHIPS,
    id: `units.array180.${precision}`,
    claim: `area SAC PE / MAC PE, 180 nm, ${precision}`,
    ours: () => unitOf('sacPe', precision, 16, 16).um2 / unitOf('macPe', precision, 16, 16).um2,
    reason: 'As above, whole PEs of 16 x 16 at 180 nm.',
    command: 'runner',
  },
];

export const units: Section = {
  name: 'units',
  title: 'Area and energy of units',
  about:
    'Ratios to the dense MAC. Theirs: 45 nm, a trial whose library is not at hand. Ours: `make synth` at 180 nm, ' +
    'src/rtl/coefficients.json.',
  claims: [...PRECISIONS.flatMap(ofPrecision), ...PRECISIONS.flatMap(arrays)],
};
