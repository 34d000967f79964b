/**
 * The memory system around an array (SPEC section 8): DRAM, a global buffer, and a local buffer per tile or group of
 * row PEs, with a port between each two levels. Presets follow published designs; none is verified against them.
 */
import { UserError } from '../errors.js';

/** Bytes, bytes per cycle, cycles and bits; Infinity where there is no limit. */
export interface MemoryConfig {
  dramBytesPerCycle: number;
  dramBurstBytes: number;
  dramLatencyCycles: number;
  globalBytes: number;
  globalBytesPerCycle: number;
  globalBurstBytes: number;
  globalLatencyCycles: number;
  localBytes: number;
  localBytesPerCycle: number;
  onChip: 'none' | 'weights' | 'activations' | 'all';
  outputBits: number;
  gradWeightBits: number;
}

export type MemoryParameterName = keyof MemoryConfig;

export interface MemoryParameter {
  name: MemoryParameterName;
  /** Values of an enumeration, or the range of a whole number. */
  values?: readonly string[];
  min?: number;
  /** Whether `infinite` is a value. */
  unlimited?: boolean;
  doc: string;
}

/** Smaller buffers would hold no word. */
const LEAST_BYTES = 64;

export const MEMORY_PARAMETERS: readonly MemoryParameter[] = [
  {
    name: 'dramBytesPerCycle',
    min: 1,
    unlimited: true,
    doc: 'bytes per cycle through the DRAM port, reads and writes together',
  },
  {
    name: 'dramBurstBytes',
    min: 0,
    unlimited: true,
    doc: 'credits that an idle DRAM port saves up, at least those of a cycle (0: just those)',
  },
  { name: 'dramLatencyCycles', min: 0, doc: 'fixed latency of DRAM, paid once per layer and phase' },
  {
    name: 'globalBytes',
    min: LEAST_BYTES,
    unlimited: true,
    doc: 'global buffer, all operands and both halves together',
  },
  {
    name: 'globalBytesPerCycle',
    min: 1,
    unlimited: true,
    doc: 'bytes per cycle from the global buffer into each local one; all of them take at the same time',
  },
  { name: 'globalBurstBytes', min: 0, unlimited: true, doc: 'credits of that port, as of DRAM' },
  {
    name: 'globalLatencyCycles',
    min: 0,
    doc: 'fixed latency of the global buffer, paid once per layer and phase',
  },
  {
    name: 'localBytes',
    min: LEAST_BYTES,
    unlimited: true,
    doc: 'local buffer of each tile or group, both halves together',
  },
  {
    name: 'localBytesPerCycle',
    min: 1,
    unlimited: true,
    doc: 'bytes per cycle from each local buffer to its PEs',
  },
  {
    name: 'onChip',
    values: ['none', 'weights', 'activations', 'all'],
    doc: 'what stays in the global buffer between layers, where it fits: it does not pass the DRAM port',
  },
  {
    name: 'outputBits',
    min: 0,
    doc: 'bits of a stored output of forward and gradInput (0: those of a code of the precision)',
  },
  { name: 'gradWeightBits', min: 1, doc: 'bits of a stored output of gradWeight' },
];

export interface MemoryPreset {
  name: string;
  summary: string;
  source: string;
  config: MemoryConfig;
}

const KIB = 1024;

const COMMON = {
  dramBurstBytes: 0,
  globalBurstBytes: 0,
  localBytesPerCycle: Infinity,
  outputBits: 0,
  // SPEC has no width for weight gradients; the optimiser that takes them is not modelled.
  gradWeightBits: 32,
} as const;

export const MEMORY_PRESETS: readonly MemoryPreset[] = [
  {
    name: 'dadiannao-like',
    summary: 'activations stay in a central 4 MiB buffer, weights stream from outside into 2 MiB per tile',
    // 4 HyperTransport links of 6.4 GB/s at 606 MHz, 80 ns each; tiles take 16 values of 2 bytes per cycle.
    source: 'DaDianNao, MICRO 2014, as reported; what passes between the buffers is ours',
    config: {
      ...COMMON,
      dramBytesPerCycle: 42,
      dramLatencyCycles: 48,
      globalBytes: 4096 * KIB,
      globalBytesPerCycle: 32,
      globalLatencyCycles: 4,
      localBytes: 2048 * KIB,
      onChip: 'activations',
    },
  },
  {
    name: 'sparsetrain-like',
    summary: 'a 386 KiB global buffer, every operand from and to DRAM, as training needs it',
    source: 'SparseTrain, DAC 2020, arXiv:2007.13595, as reported (386 KB); ports and local buffers are ours',
    config: {
      ...COMMON,
      dramBytesPerCycle: 64,
      dramLatencyCycles: 100,
      globalBytes: 386 * KIB,
      globalBytesPerCycle: 16,
      globalLatencyCycles: 4,
      localBytes: 4 * KIB,
      onChip: 'none',
    },
  },
  {
    name: 'edge-like',
    summary: 'a narrow DRAM port and 128 KiB on chip',
    source: 'ours: a 16-bit LPDDR4-3200 channel has 6.4 GB/s, 4 bytes per cycle at 1.6 GHz',
    config: {
      ...COMMON,
      dramBytesPerCycle: 4,
      dramLatencyCycles: 100,
      globalBytes: 128 * KIB,
      globalBytesPerCycle: 16,
      globalLatencyCycles: 4,
      localBytes: 16 * KIB,
      onChip: 'none',
    },
  },
  {
    name: 'infinite',
    summary: 'no limit and no latency anywhere: the cycles of the PEs alone',
    source: 'none: the upper limit',
    config: {
      ...COMMON,
      dramBytesPerCycle: Infinity,
      dramLatencyCycles: 0,
      globalBytes: Infinity,
      globalBytesPerCycle: Infinity,
      globalLatencyCycles: 0,
      localBytes: Infinity,
      onChip: 'none',
    },
  },
];

export const MEMORY_NAMES: readonly string[] = MEMORY_PRESETS.map(({ name }) => name);
export const DEFAULT_MEMORY = 'dadiannao-like';

/** A memory system, and what it was made of. */
export interface Memory {
  preset: string;
  config: MemoryConfig;
}

/**
 * A preset with settings of the user's.
 * @param settings by name, as text
 * @throws UserError on unknown presets and parameters, and values out of range
 */
export function memoryOf(preset: string, settings: Readonly<Record<string, string>> = {}): Memory {
  const found = MEMORY_PRESETS.find(({ name }) => name === preset);
  if (!found)
    throw new UserError('unknown-memory', `--memory: found "${preset}", expected ${MEMORY_NAMES.join(', ')}`);
  const config: MemoryConfig = { ...found.config };
  for (const [name, text] of Object.entries(settings)) {
    const parameter = MEMORY_PARAMETERS.find((p) => p.name === name);
    if (!parameter)
      throw new UserError(
        'unknown-parameter',
        `memory has no parameter ${name}; it has ${MEMORY_PARAMETERS.map((p) => p.name).join(', ')}`,
      );
    Object.assign(config, { [name]: parseValue(parameter, text) });
  }
  return { preset, config: Object.freeze(config) };
}

function parseValue({ name, values, min = 0, unlimited }: MemoryParameter, text: string): number | string {
  const fail = (expected: string): never => {
    throw new UserError('bad-parameter', `memory.${name}: found "${text}", expected ${expected}`);
  };
  if (values) return values.includes(text) ? text : fail(values.join(' or '));
  if (unlimited && text === 'infinite') return Infinity;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < min)
    return fail(`a whole number of at least ${min}${unlimited ? ', or infinite' : ''}`);
  return value;
}

/** As it stands in reports: JSON has no infinity. */
export const plainConfig = (config: MemoryConfig): Record<MemoryParameterName, number | string> =>
  Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name, value === Infinity ? 'infinite' : value]),
  ) as Record<MemoryParameterName, number | string>;
