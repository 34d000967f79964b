/**
 * One tile of a dense MAC array during one layer (SPEC section 4): a PE, and the places its outputs go to. Outputs of a
 * block are still in the pipeline when the bricks of the next one, or the bubbles of a wait, come in behind them.
 */
import { MacPe } from './macPe.js';
import { lookAt, registersOf, type Probe, type Signals } from './probe.js';
import { members } from './registers.js';

/** Outputs on their way, at most as many as there are stages. */
const IN_FLIGHT = MacPe.latency + 1;

export class MacTile {
  readonly pe: MacPe;
  /** Activations of the coming brick, zero where a lane has no item. */
  readonly window: Int32Array;
  /** Where the outputs of the present block's units lie, beside their position. */
  private outputs: Int32Array = new Int32Array(0);
  private readonly outputsOf: Int32Array[] = [];
  private readonly placeOf = new Float64Array(IN_FLIGHT);
  private oldest = 0;
  private next = 0;
  /** Units that the outputs on the port are of, while they are valid. */
  unitsOut = 0;

  /** @param clock the coming cycle */
  constructor(
    units: number,
    lanes: number,
    private readonly output: Float64Array,
    public clock = 0,
  ) {
    this.pe = new MacPe(units, lanes);
    this.window = new Int32Array(lanes);
  }

  /** The first `outputs.length` units have a filter in the coming block. */
  startBlock(outputs: Int32Array): void {
    this.outputs = outputs;
    this.pe.setUnits(outputs.length);
  }

  /** Where the outputs belong whose first brick the coming cycle takes. */
  beginOutput(place: number): void {
    this.outputsOf[this.next] = this.outputs;
    this.placeOf[this.next] = place;
    this.next = (this.next + 1) % IN_FLIGHT;
  }

  /** One clock cycle; `weights` null is a bubble. */
  cycle(weights: Int32Array | null, weightsAt: number, last: boolean): void {
    const { pe } = this;
    pe.cycle(weights, weightsAt, this.window, last);
    this.clock++;
    if (!pe.outValid) return;
    const outputs = this.outputsOf[this.oldest];
    this.unitsOut = outputs.length;
    const place = this.placeOf[this.oldest];
    this.oldest = (this.oldest + 1) % IN_FLIGHT;
    for (let n = 0; n < outputs.length; n++) this.output[outputs[n] + place] = pe.outValue(n);
  }

  /** Lets cycles pass without a brick. */
  wait(cycles: number): void {
    const bubbles = Math.min(cycles, MacPe.latency);
    for (let i = 0; i < bubbles; i++) this.cycle(null, 0, false);
    if (cycles > bubbles) this.skip(cycles - bubbles);
  }

  /** Lets cycles pass in which nothing changes: the pipeline is empty. */
  skip(cycles: number): void {
    this.clock += cycles;
  }
}

/** Lets a probe see a tile from its coming cycle on: the registers of its PE, and the outputs. */
export function watchMac(probe: Probe, path: readonly string[], tile: MacTile): void {
  const { pe } = tile;
  const perUnit = { count: pe.units, dimensions: [members('unit', pe.units)] };
  const valid = new Uint8Array(pe.units);
  const value = new Float64Array(pe.units);
  const refresh = (): void => {
    for (let n = 0; n < pe.units; n++) {
      valid[n] = pe.outValid && n < tile.unitsOut ? 1 : 0;
      value[n] = valid[n] !== 0 ? pe.outValue(n) : NaN;
    }
  };
  const signals: Signals[] = [
    ...registersOf(pe.registers),
    { spec: { name: 'outValid', bits: 1, signed: false, ...perUnit }, kind: 'port', values: valid },
    { spec: { name: 'outValue', bits: 53, signed: true, ...perUnit }, kind: 'port', values: value },
  ];
  lookAt(tile, probe.component(path, signals, refresh));
}
