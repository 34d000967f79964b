/**
 * One buffer for all PEs of an array and for what they share, so that a kernel reaches the registers of each. What is
 * shared comes first; then, of each PE, its registers and what else the kernel needs of it.
 */
import { registerBytes } from './registers.js';
import { sacRegisters, type SacPeConfig } from './sacRegisters.js';
import { kernelBuffer } from './wasm.js';

export interface MemoryPlan<Kernel> {
  pes: number;
  sharedBytes: number;
  /** Beside registers. */
  bytesPerPe: number;
  module: () => Uint8Array;
  plain: (buffer: ArrayBuffer) => Kernel;
  /** false forces the TypeScript body of the kernel. */
  wasm: boolean;
}

export class PeMemory<Kernel> {
  readonly buffer: ArrayBuffer;
  readonly kernel: Kernel;
  private readonly firstPe: number;
  private readonly perPe: number;
  private readonly registers: number;

  constructor(config: SacPeConfig, plan: MemoryPlan<Kernel>) {
    this.registers = registerBytes(sacRegisters(config));
    this.firstPe = inDoubles(plan.sharedBytes);
    this.perPe = this.registers + inDoubles(plan.bytesPerPe);
    const bytes = this.firstPe + plan.pes * this.perPe;
    const { buffer, kernel } = kernelBuffer(bytes, plan.module, plan.plain, plan.wasm);
    this.buffer = buffer;
    this.kernel = kernel;
  }

  /** Where the registers of a PE live. */
  home(pe: number): { buffer: ArrayBuffer; at: number } {
    return { buffer: this.buffer, at: this.firstPe + pe * this.perPe };
  }

  /** The address behind the registers of a PE. */
  behind(pe: number): number {
    return this.home(pe).at + this.registers;
  }
}

const inDoubles = (bytes: number): number => Math.ceil(bytes / 8) * 8;
