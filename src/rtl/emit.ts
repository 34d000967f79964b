/**
 * The Verilog of a machine's units for a user's own flow: the sources with the machine's parameters as their defaults, the
 * benches, for each unit a stimulus with the lines that the model prints for it, and a Makefile that compares.
 */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError } from '../errors.js';
import type { MachineConfig } from '../arch/machine.js';
import { magnitudeBitsOf, type Precision } from '../quantize.js';
import { VERSION } from '../version.js';
import { VERILOG_FOLDER } from './simulator.js';
import { stimulusOf } from './verify.js';
import { unitOf } from './units.js';
import type { Hardware, RtlUnit, VerilogParameters } from './unit.js';

/** A row of the PPU's buffers in what is emitted, in values; replay sizes them by the layer. */
const PPU_ROW_VALUES = 64;

interface Part {
  unit: RtlUnit;
  hardware: Hardware;
}

/** Units that a machine's array is made of, and how they are built there. */
export function partsOf(machine: string, config: MachineConfig, precision: Precision): Part[] {
  const bits = magnitudeBitsOf(precision);
  const { units, lanes, kneadingStride, windowSlots, throttleWords, windowLoadCycles, sync } = config;
  const { taps, ports, pesPerGroup, int8Streams = 1 } = config;
  // Activations of inference may be unsigned, of one magnitude bit more.
  const codes = { magnitudeBits: bits, activationBits: bits + 1 };
  const sac = (): Part => ({
    unit: unitOf('sac'),
    hardware: {
      units: (units as number) * (int8Streams as number),
      ...{ lanes, ...codes, kneadingStride, windowSlots, throttleWords, windowLoadCycles, sync },
    },
  });
  const rows = (): Part[] => [
    { unit: unitOf('row'), hardware: { taps, ports, magnitudeBits: bits } },
    { unit: unitOf('ppu'), hardware: { capacity: PPU_ROW_VALUES, adders: pesPerGroup } },
  ];
  switch (machine) {
    case 'dadiannao':
      return [{ unit: unitOf('mac'), hardware: { units, lanes, ...codes } }];
    case 'tetris':
      return [sac()];
    case 'masked':
      return [sac(), { unit: unitOf('kneader'), hardware: { magnitudeBits: bits, kneadingStride } }];
    case 'sparsetrain':
    case 'sparsetrain-dense':
      return rows();
    case 'hybrid':
      return [sac(), ...rows()];
    default:
      throw new UserError(
        'no-rtl',
        `machine ${machine}: there is no Verilog of its PEs; there is of dadiannao, tetris, masked, sparsetrain, ` +
          'sparsetrain-dense and hybrid',
      );
  }
}

/** Files to write, by name. */
export function emitFiles(
  machine: string,
  config: MachineConfig,
  precision: Precision,
  seed: number,
): Map<string, string> {
  const files = new Map<string, string>();
  const head = [
    `// kneadsim ${VERSION}: ${machine} at ${precision}`,
    `// ${JSON.stringify(config)}`,
    '//',
    '',
  ].join('\n');
  const parts = partsOf(machine, config, precision);
  for (const { unit, hardware } of parts) {
    const stimulus = stimulusOf(unit, seed, 0, hardware);
    const parameters = unit.parameters(stimulus);
    const source = (file: string): string => readFileSync(join(VERILOG_FOLDER, file), 'utf8');
    for (const file of unit.sources) files.set(file, head + source(file));
    const top = unit.sources[0];
    files.set(top, head + withDefaults(source(top), parameters));
    files.set(unit.bench, head + withDefaults(source(join('bench', unit.bench)), parameters));
    files.set(`${unit.name}.json`, `${JSON.stringify(stimulus)}\n`);
    files.set(`${unit.name}.stimulus`, unit.pack(stimulus));
    files.set(`${unit.name}.expected`, `${unit.trace(stimulus, true).join('\n')}\n`);
  }
  files.set('Makefile', makefile(machine, parts));
  return files;
}

/** A source in which the defaults of parameters are the values given. */
export function withDefaults(source: string, parameters: VerilogParameters): string {
  return Object.entries(parameters).reduce(
    (text, [name, value]) =>
      text.replace(new RegExp(`(\\bparameter ${name}\\s*=\\s*)[^,;\\n]*([,;]|$)`, 'm'), `$1${value}$2`),
    source,
  );
}

function makefile(machine: string, parts: readonly Part[]): string {
  const rules = parts.map(({ unit }) => {
    const top = basename(unit.bench, '.v');
    const sources = [unit.bench, ...unit.sources].join(' ');
    return `# ${unit.summary}
.PHONY: ${unit.name}-icarus ${unit.name}-verilator
${unit.name}-icarus: build/${unit.name}.vvp
\tvvp -n $< +stimulus=${unit.name}.stimulus +registers | grep -v finish > build/${unit.name}.icarus
\tdiff build/${unit.name}.icarus ${unit.name}.expected
build/${unit.name}.vvp: ${sources}
\tmkdir -p build
\tiverilog -g2005 -s ${top} -o $@ $^
${unit.name}-verilator: build/${unit.name}.verilated/bench
\t$< +stimulus=${unit.name}.stimulus +registers | grep -v finish > build/${unit.name}.verilator
\tdiff build/${unit.name}.verilator ${unit.name}.expected
build/${unit.name}.verilated/bench: ${sources}
\tmkdir -p build
\tverilator --binary --timing -Wno-fatal -Wno-lint -Wno-style -j 1 --top-module ${top} --Mdir $(@D) -o bench $^
`;
  });
  const all = (simulator: string): string => parts.map(({ unit }) => `${unit.name}-${simulator}`).join(' ');
  return `# kneadsim ${VERSION}: the Verilog of ${machine}. "make" runs each bench and compares its lines with the model's.
# UNIT.json is the stimulus as "kneadsim pe UNIT --stimulus" takes it, UNIT.stimulus the same for the bench.
.PHONY: icarus verilator clean
icarus: ${all('icarus')}
\t@echo all lines are those of the model
verilator: ${all('verilator')}
\t@echo all lines are those of the model
clean:
\trm -rf build

${rules.join('\n')}`;
}
