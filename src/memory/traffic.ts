/**
 * Bytes that move between the levels of memory (SPEC section 8), by operand as it is stored. `dram` reads fill the
 * global buffer and its writes drain it; `global` reads fill local buffers; `local` reads feed PEs.
 */
export const MEMORY_LEVELS = ['dram', 'global', 'local'] as const;
export type MemoryLevel = (typeof MEMORY_LEVELS)[number];

export const OPERANDS = ['weights', 'inputs', 'gradients', 'masks', 'outputs'] as const;
export type Operand = (typeof OPERANDS)[number];

/** What a phase reads; outputs are what it writes. */
export const SOURCES = ['weights', 'inputs', 'gradients', 'masks'] as const;
export type Source = (typeof SOURCES)[number];

/** Bits by operand that is read. */
export type Bits = Record<Source, number>;

/** Bytes. */
export interface LevelTraffic {
  reads: Record<Operand, number>;
  writes: Record<Operand, number>;
}

/** Of all tiles or groups together at level `local`. */
export type Traffic = Record<MemoryLevel, LevelTraffic>;

export const noBits = (): Bits => ({ weights: 0, inputs: 0, gradients: 0, masks: 0 });

export const sumBits = (bits: Bits): number => bits.weights + bits.inputs + bits.gradients + bits.masks;

export function addBits(a: Bits, b: Bits, times = 1): Bits {
  for (const source of SOURCES) a[source] += b[source] * times;
  return a;
}

const nothing = (): Record<Operand, number> => ({
  weights: 0,
  inputs: 0,
  gradients: 0,
  masks: 0,
  outputs: 0,
});

export const noTraffic = (): Traffic => ({
  dram: { reads: nothing(), writes: nothing() },
  global: { reads: nothing(), writes: nothing() },
  local: { reads: nothing(), writes: nothing() },
});

export function addTraffic(a: Traffic, b: Traffic): Traffic {
  for (const level of MEMORY_LEVELS)
    for (const operand of OPERANDS) {
      a[level].reads[operand] += b[level].reads[operand];
      a[level].writes[operand] += b[level].writes[operand];
    }
  return a;
}

/** Bytes of a level, both ways. */
export const levelBytes = ({ reads, writes }: LevelTraffic): number =>
  OPERANDS.reduce((sum, operand) => sum + reads[operand] + writes[operand], 0);

/** Bits are packed: only the last byte of what moves may be part empty. */
export const bytesOf = (bits: number): number => Math.ceil(bits / 8);
