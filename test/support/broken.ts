/**
 * Machines that are broken on purpose, each in one way: proof that the laws can fail. A broken machine is a sound
 * one whose layers, counters or outputs are tampered with on the way in or out.
 */
import type {
  Counters,
  LayerWork,
  Machine,
  MachineConfig,
  MachineKind,
  StepResult,
} from '../../src/arch/machine.js';
import type { Codes } from '../../src/quantize.js';

export interface Tampering {
  /** What count returns, and what it is given. */
  count?: (counters: Counters, work: LayerWork) => void;
  countWork?: (work: LayerWork) => LayerWork;
  /** What step returns, and what it is given. */
  step?: (result: StepResult, work: LayerWork) => void;
  stepWork?: (work: LayerWork) => LayerWork;
}

/** Called for each machine that is configured, so that it may keep a state. */
export type Tamper = (config: MachineConfig) => Tampering;

export function broken(kind: MachineKind, tamper: Tamper): MachineKind {
  const configure = kind.configure.bind(kind);
  return {
    ...kind,
    configure: (config): Machine => {
      const sound = configure(config);
      const { count, countWork, step, stepWork } = tamper(config);
      return {
        name: sound.name,
        config: sound.config,
        laneSlots: (phase) => sound.laneSlots(phase),
        arrayOf: (phase) => sound.arrayOf(phase),
        lanesPerDenseLane: sound.lanesPerDenseLane,
        count: (work) => {
          const counters = sound.count(countWork ? countWork(work) : work);
          count?.(counters, work);
          return counters;
        },
        step: (work) => {
          const result = sound.step(stepWork ? stepWork(work) : work);
          step?.(result, work);
          return result;
        },
      };
    },
  };
}

/** The same tampering with the counters of both levels, so that they still agree with each other. */
export const both = (tamper: (counters: Counters, work: LayerWork) => void) => (): Tampering => ({
  count: tamper,
  step: ({ counters }, work) => tamper(counters, work),
});

const withWeights = (work: LayerWork, change: (codes: Int32Array) => void): LayerWork => {
  const codes = work.weights.codes.slice();
  change(codes);
  return { ...work, weights: { ...work.weights, codes } };
};

const onesOf = ({ codes }: Codes): number =>
  codes.reduce((n, code) => n + Math.abs(code).toString(2).replaceAll('0', '').length, 0);

/** Every number in the counters, as a path: 'cycles', 'stall.window', 'idle.empty' ... */
export function counterPaths(counters: Counters): string[] {
  return Object.entries(counters).flatMap(([name, value]) =>
    typeof value === 'number' ? [name] : Object.keys(value as object).map((cause) => `${name}.${cause}`),
  );
}

/** Adds to one counter. */
export function bump(counters: Counters, path: string, by = 1): void {
  const [name, cause] = path.split('.');
  const owner = (cause === undefined ? counters : counters[name as 'stall']) as unknown as Record<
    string,
    number
  >;
  owner[cause ?? name] += by;
}

/** Breaks of the law `output = dense reference`. */
export const WRONG_VALUES: Record<string, Tamper> = {
  'a PE that drops signs': () => ({
    stepWork: (work) => withWeights(work, (codes) => codes.forEach((w, i) => (codes[i] = Math.abs(w)))),
  }),
  'one output off by one': () => ({ step: ({ output }) => void output[output.length - 1]++ }),
  'one output missing': () => ({ step: ({ output }) => void (output[0] = NaN) }),
  'segments that wrap at 32 bits, and then some': () => ({
    step: ({ output }) => output.forEach((x, i) => (output[i] = (x << 12) >> 12)),
  }),
  'the last weight read twice': () => ({
    stepWork: (work) => withWeights(work, (codes) => (codes[codes.length - 1] = codes[0])),
  }),
};

/** Breaks of conservation that both levels share, so that comparing the levels cannot see them. */
export const LEAKS: Record<string, Tamper> = {
  'a term lost': both((c) => bump(c, 'terms', -1)),
  'a busy lane-cycle lost': both((c) => bump(c, 'busy', -1)),
  'an idle lane-cycle counted twice': both((c) => bump(c, 'idle.absentLane')),
  'a stall cancelled by a negative one': both((c) => {
    bump(c, 'stall.window', 1 + c.stall.output);
    bump(c, 'stall.output', -1 - c.stall.output);
  }),
  'a cycle that no lane accounts for': both((c) => bump(c, 'cycles')),
};

/** Only machines that look at bits count them. */
export const MISCOUNTED_BITS = both((c) => bump(c, 'essentialBits'));

/** Breaks of determinism: a state that survives a layer, or chance. */
export const FICKLE: Record<string, Tamper> = {
  'outputs that remember how many layers were run': () => {
    let layers = 0;
    return { step: ({ output }) => void (output[0] += layers++) };
  },
  'cycles that remember the layer before': () => {
    let before = 0;
    return {
      count: (c, work) => {
        c.cycles += before % 2;
        before = onesOf(work.weights);
      },
    };
  },
  'stalls by chance': () => ({
    step: ({ counters }) => bump(counters, 'stall.flush', Math.random() < 0.5 ? 1 : 0),
  }),
  'a layer left changed': () => ({ step: (_, work) => void work.weights.codes.fill(1) }),
};

/** Breaks that show only when a layer is cut by filters: both levels, conservation kept where it can be. */
export const NOT_ADDITIVE_BY_FILTERS: Record<string, Tamper> = {
  'busy counted once per layer': both((c) => {
    bump(c, 'busy');
    bump(c, 'stall.imbalance', -1);
  }),
  'a cycle of set-up per layer': both((c) => bump(c, 'cycles')),
  'a wait in front of every layer': both((c) => bump(c, 'stall.weights', 4)),
  'values that depend on the number of filters': () => ({
    step: ({ output }, { shape }) => void (output[0] += shape.filters),
  }),
  'a bound over the whole layer': both((c) => bump(c, 'boundCycles', 3)),
};

export const NOT_ADDITIVE_BY_EXAMPLES: Record<string, Tamper> = {
  'terms of the first example only': both((c, { shape }) =>
    bump(c, 'terms', -(c.terms * (shape.batch - 1)) / shape.batch),
  ),
  'a penalty for more than one example': both((c, { shape }) => bump(c, 'cycles', 1000 * (shape.batch - 1))),
  'a second example that sees the first': () => ({
    step: ({ output }, { shape }) => void (output[output.length - 1] += shape.batch - 1),
  }),
};

export const ORDER_MATTERS: Record<string, Tamper> = {
  'a first filter that is charged twice': both((c, { weights, shape }) =>
    bump(
      c,
      'cycles',
      onesOf({ ...weights, codes: weights.codes.subarray(0, weights.codes.length / shape.filters) }),
    ),
  ),
  'a first unit whose output is late by one': () => ({ step: ({ output }) => void output[0]++ }),
  'a first lane that counts for two': both((c, { weights }) => bump(c, 'busy', Math.abs(weights.codes[0]))),
};

/** A row forgotten in count only: the lengths of a layer whose last weight lost its bits. */
export const ROW_UNDERCOUNTED = (): Tampering => ({
  countWork: (work) => withWeights(work, (codes) => (codes[codes.length - 1] = 0)),
});
