/** Where claims get their numbers: trace files, made when first asked for, and runs of the simulator, each made once. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PHASES } from '../../src/arch/machine.js';
import { DEFAULT_MEMORY } from '../../src/memory/config.js';
import type { Report } from '../../src/report/report.js';
import { simulate } from '../../src/simulate.js';
import { separateSettings } from '../../src/simulate/memorySettings.js';
import type { LoadedLayer } from '../../src/simulate/load.js';
import { elementCount } from '../../src/tensor.js';
import { openTrace } from '../../src/trace/open.js';
import type { Trace } from '../../src/trace/trace.js';
import { countNetwork, FIELDS, type Counts, type Field } from './counts.js';
import { commandFile, makeNetwork, RECORDED, recordedFile, type Recorded } from './networks.js';
import { numberAt } from './place.js';
import { argumentsOf, budgetOf, type Setup } from './setup.js';

type Given = Pick<Setup, 'scale' | 'layer' | 'prune' | 'firstGradInput' | 'seed' | 'energyNode'>;

/** Options of a run that are passed on as they are, where given. */
const optionsOf = ({ scale, layer, prune, firstGradInput, seed, energyNode }: Setup): Given => ({
  ...(scale && { scale }),
  ...(layer && { layer }),
  ...(prune !== undefined && { prune }),
  ...(firstGradInput && { firstGradInput }),
  ...(seed !== undefined && { seed }),
  ...(energyNode && { energyNode }),
});

export class Lab {
  private folder: string | null = null;
  private readonly files = new Map<string, Promise<string>>();
  private readonly known = new Map<string, unknown>();

  /** The trace file of a network. */
  file(name: string): Promise<string> {
    if (name in RECORDED) return Promise.resolve(recordedFile(name as Recorded));
    let file = this.files.get(name);
    if (!file) this.files.set(name, (file = this.make(name)));
    return file;
  }

  private async make(name: string): Promise<string> {
    this.folder ??= mkdtempSync(join(tmpdir(), 'kneadsim-validation-'));
    const path = join(this.folder, commandFile(name));
    await makeNetwork(name, path, (other) => this.file(other));
    return path;
  }

  /** A number of the first machine's total. @throws Error where the run has none, or a check of it did not hold */
  async number(setup: Setup, field: Field): Promise<number> {
    const value =
      setup.level === 'step'
        ? await this.stepped(setup, field)
        : FIELDS[field]((await this.counts(setup)).machines[0]);
    if (value === null || !Number.isFinite(value))
      throw new Error(`${argumentsOf(setup).join(' ')}: ${field} is ${value}`);
    return value;
  }

  counts(setup: Setup): Promise<Counts> {
    return this.once(`count ${argumentsOf(setup).join(' ')}`, () => this.countAndSee(setup));
  }

  /** As `counts`, and never remembered. */
  countAndSee(setup: Setup, see?: (layer: LoadedLayer) => void): Promise<Counts> {
    return this.opened(setup.network, (trace) => countNetwork(trace, setup, see));
  }

  /** What `kneadsim --json` prints for a run at level count: memory and energy too. @throws Error if a check fails */
  report(setup: Setup): Promise<Report> {
    return this.once(`report ${argumentsOf(setup).join(' ')}`, async () => {
      const { command, machine, precision, level } = setup;
      const { settings, memory } = separateSettings(setup.settings ?? [], setup.memory ?? DEFAULT_MEMORY);
      const report = await this.opened(setup.network, (trace) =>
        simulate(trace, {
          ...{ machines: machine.split(','), settings, memory, precision, level, budget: budgetOf(setup) },
          ...{ phases: command === 'train' ? PHASES : ['forward'], training: command === 'train' },
          ...optionsOf(setup),
        }),
      );
      if (report.violations.length > 0) throw new Error(`${setup.network}: ${report.violations[0]}`);
      return report;
    });
  }

  /** A number of a report by its place (place.ts). */
  async figure(setup: Setup, at: string): Promise<number> {
    return numberAt(await this.report(setup), at);
  }

  /** Clock by clock, every output checked. */
  private async stepped(setup: Setup, field: Field): Promise<number | null> {
    const { machine, settings = [], precision, level } = setup;
    const report = await this.once(`step ${argumentsOf(setup).join(' ')}`, () =>
      this.opened(setup.network, (trace) =>
        simulate(trace, { machines: [machine], settings, precision, level, budget: budgetOf(setup) }),
      ),
    );
    if (report.verified !== true) throw new Error(`${setup.network}: ${report.violations[0]}`);
    return report.machines[0].total[field];
  }

  /** Weights of a network. */
  weights(network: string): Promise<number> {
    return this.once(`weights ${network}`, () =>
      this.opened(network, ({ layers }) =>
        layers.reduce((sum, { tensors }) => sum + elementCount(tensors.weight!.shape), 0),
      ),
    );
  }

  private async opened<T>(network: string, use: (trace: Trace) => T): Promise<T> {
    const trace = openTrace(await this.file(network));
    try {
      return use(trace);
    } finally {
      trace.close();
    }
  }

  /** A result by name, computed when first asked for. */
  once<T>(key: string, compute: () => T): T {
    if (!this.known.has(key)) this.known.set(key, compute());
    return this.known.get(key) as T;
  }

  close(): void {
    if (this.folder) rmSync(this.folder, { recursive: true, force: true });
    this.folder = null;
    this.files.clear();
  }
}
