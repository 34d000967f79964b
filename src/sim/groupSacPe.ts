/**
 * The SAC PE of `sacPe.ts`, steadily fed (`steadyControl.ts`), with values committed per group: the segments take what
 * a group adds in the cycle in which its last word is consumed (`groupKernel.ts`). All other registers change in the
 * cycle in which they do in hardware; a segment agrees whenever no lane of its unit is inside a group, hence at every
 * capture by the rear tree.
 *
 * test/sim/groupSacPe.test.ts holds it to SacPe, cycle by cycle.
 */
import { groupRows, type KneadedWords } from '../bit/knead.js';
import type { WindowSource } from './activationWindows.js';
import {
  FACTOR_BITS,
  groupModule,
  GroupTables,
  pairBytes,
  plainGroupKernel,
  tableBytes,
  type GroupKernel,
} from './groupKernel.js';
import { PeMemory } from './peMemory.js';
import type { SacPeConfig } from './sacRegisters.js';
import { runsSteadily, SteadyControl } from './steadyControl.js';

/** Whether values of `windowBits` magnitude bits can be committed per group. */
export const commitsGroups = (config: SacPeConfig, windowBits: number): boolean =>
  runsSteadily(config) && windowBits <= FACTOR_BITS;

/** One buffer for the tables of all groups and all PEs of an array, so that the kernel reaches them. */
export class GroupMemory extends PeMemory<GroupKernel> {
  /** At the first word of each group: address of its table, and pairs of activations that the table has. */
  tableAt = new Int32Array(0);
  pairs = new Uint16Array(0);
  private readonly halves: Int16Array;
  private readonly tables: GroupTables;
  private readonly pairBytes: number;

  /** @param mostPairs pairs of activations that all groups together need at most */
  constructor(config: SacPeConfig, pes: number, mostPairs: number, wasm = true) {
    const { magnitudeBits, kneadingStride } = config;
    const sharedBytes = tableBytes(magnitudeBits, mostPairs);
    super(config, {
      pes,
      sharedBytes,
      bytesPerPe: 0,
      module: () => groupModule(magnitudeBits, kneadingStride),
      plain: (buffer) => plainGroupKernel(buffer, magnitudeBits),
      wasm,
    });
    this.halves = new Int16Array(this.buffer, 0, sharedBytes / 2);
    this.tables = new GroupTables(magnitudeBits, kneadingStride);
    this.pairBytes = pairBytes(magnitudeBits);
  }

  /** Makes the tables of the words' groups. */
  store({ slots, groups, count, magnitudeBits }: KneadedWords): void {
    if (this.tableAt.length < count) {
      this.tableAt = new Int32Array(groups.length);
      this.pairs = new Uint16Array(groups.length);
    }
    const { halves, tables, tableAt, pairs, pairBytes } = this;
    let at = 0;
    for (let word = 0; word < count;) {
      const end = word + groupRows(groups[word]);
      tableAt[word] = at;
      pairs[word] = tables.write(halves, at / 2, slots, word * magnitudeBits, end * magnitudeBits);
      at += pairs[word] * pairBytes;
      word = end;
    }
    if (at > 2 * halves.length) throw new Error(`tables of ${at} bytes are more than was provided for`);
  }
}

export class GroupSacPe extends SteadyControl {
  /** Byte addresses. */
  private readonly segmentsAt: number;
  private readonly windowsAt: number;
  private readonly kernel: GroupKernel;

  constructor(
    config: SacPeConfig,
    words: KneadedWords,
    source: WindowSource,
    private readonly memory: GroupMemory,
    pe: number,
  ) {
    super(config, words, source, memory.home(pe));
    this.segmentsAt = this.segments.byteOffset;
    this.windowsAt = this.windows.table.byteOffset;
    this.kernel = memory.kernel;
  }

  protected override endGroup(i: number): void {
    const word = this.wordPointer[i];
    const { tableAt, pairs } = this.memory;
    this.kernel(
      this.segmentsAt + 4 * this.config.magnitudeBits * this.unitOf[i],
      tableAt[word],
      this.windowsAt + 4 * this.windows.at(i, this.laneOf[i]),
      pairs[word],
    );
    super.endGroup(i);
  }

  protected override addWords(): void {
    // Nothing to do within a group.
  }

  protected override enter(): void {
    // Nor at its beginning.
  }

  protected override goOn(): void {
    // Nor where a group follows.
  }

  protected override leave(): void {
    // Nor where none does.
  }
}
