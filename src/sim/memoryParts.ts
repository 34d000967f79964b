/** What the clocked memory system is made of (SPEC section 8): ports and buffers, which count their bytes. */
import { VerificationError } from '../errors.js';
import type { PortConfig } from './movePlan.js';

/** A token bucket: credits come in each cycle, a byte takes one. It moves one transfer at a time. */
export class Port {
  private credits: number;
  private readonly bytesPerCycle: number;
  private readonly burstBytes: number;
  /** Bytes of the transfer that have still to pass. */
  left = 0;
  /** Bytes that have passed. */
  passed = 0;

  constructor({ bytesPerCycle, burstBytes }: PortConfig) {
    this.bytesPerCycle = bytesPerCycle;
    this.credits = this.burstBytes = burstBytes;
  }

  /** The credits of a cycle. */
  tick(): void {
    this.credits = Math.min(this.burstBytes, this.credits + this.bytesPerCycle);
  }

  /** Moves as many bytes as there are credits. Returns whether they were the last ones. */
  move(): boolean {
    const bytes = Math.min(this.left, this.credits);
    this.credits -= bytes;
    this.passed += bytes;
    this.left -= bytes;
    return this.left === 0;
  }
}

/** Bytes in a buffer: those that came in less those that were freed. */
export class Buffer {
  private into = 0;
  private out = 0;

  constructor(private readonly name: string) {}

  get resident(): number {
    return this.into - this.out;
  }

  put(bytes: number, room: number): void {
    this.into += bytes;
    if (this.resident > room) throw broken(`${this.name} holds ${this.resident} bytes`, `at most ${room}`);
  }

  free(bytes: number): void {
    this.out += bytes;
    if (this.resident < 0) throw broken(`${this.name} holds ${this.resident} bytes`, 'none below 0');
  }

  end(expected: number): void {
    if (this.resident !== expected)
      throw broken(`${this.name} holds ${this.resident} bytes at the end`, `${expected}`);
  }
}

export const broken = (found: string, expected: string): VerificationError =>
  new VerificationError('memory-clock', `clocked memory: found that ${found}, expected ${expected}`);
