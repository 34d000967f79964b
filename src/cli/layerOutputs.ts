/**
 * `--outputs FILE.safetensors`: what the first machine computed, and from which codes, so that anybody can count and
 * compute again. Per layer: `LAYER/PHASE/output` (float64, exact integers), `LAYER/codes/ROLE` (int16) and
 * `LAYER/scales/ROLE` (float64) of weight, input and grad_output. Written as they come: all sizes are known before.
 */
import { writeSync } from 'node:fs';
import { writeFully } from '../files.js';
import type { Phase } from '../arch/machine.js';
import { phaseOutputShape } from '../lower/phase.js';
import { elementCount, inputShape, outputShape, weightShape, type ConvShape } from '../tensor.js';
import type { LoadedLayer, Operand } from '../simulate/load.js';
import type { RunObserver } from '../simulate/options.js';
import { encodeSafetensorsHeader, type TensorEntry } from '../trace/safetensorsHeader.js';

/** What the file will hold of one layer in one step. */
export interface PlannedLayer {
  name: string;
  step: number;
  shape: ConvShape;
  phases: readonly Phase[];
  /** Scales of the weights: one, or one per filter. */
  weightScales: number;
  hasGradients: boolean;
}

/** Values of a tensor of zeros are never asked for, so that a plan is all that the header needs. */
export class LayerOutputs implements RunObserver {
  private readonly entries = new Map<string, TensorEntry>();
  private readonly dataStart: number;

  /** @param several whether tensors of several steps need the step in their names */
  constructor(
    private readonly fd: number,
    plan: readonly PlannedLayer[],
    metadata: Record<string, string>,
    private readonly several: boolean,
  ) {
    const tensors = plan.flatMap((layer) => this.tensorsOf(layer));
    const { bytes, entries } = encodeSafetensorsHeader(tensors, metadata);
    this.entries = entries;
    this.dataStart = bytes.length;
    writeFully(fd, bytes);
  }

  operands(layer: LoadedLayer): void {
    const { weight, input, gradOutput } = layer;
    for (const [role, operand] of Object.entries({ weight, input, grad_output: gradOutput }) as [
      string,
      Operand | null,
    ][]) {
      if (!operand) continue;
      this.write(this.name(layer, `codes/${role}`), Int16Array.from(operand.codes.codes));
      this.write(this.name(layer, `scales/${role}`), operand.codes.scales);
    }
  }

  output(layer: LoadedLayer, phase: Phase, output: Float64Array): void {
    this.write(this.name(layer, `${phase}/output`), output);
  }

  private name({ name, step }: { name: string; step: number }, what: string): string {
    return `${this.several ? `step${step}/` : ''}${name}/${what}`;
  }

  private tensorsOf(layer: PlannedLayer): Omit<TensorEntry, 'offset'>[] {
    const { shape } = layer;
    const operands = [
      { role: 'weight', shape: weightShape(shape), scales: layer.weightScales },
      { role: 'input', shape: inputShape(shape), scales: 1 },
      ...(layer.hasGradients ? [{ role: 'grad_output', shape: outputShape(shape), scales: 1 }] : []),
    ];
    return [
      ...layer.phases.map((phase) => ({
        name: this.name(layer, `${phase}/output`),
        dtype: 'float64' as const,
        shape: phaseOutputShape(phase, shape),
      })),
      ...operands.flatMap(({ role, shape: codes, scales }) => [
        { name: this.name(layer, `codes/${role}`), dtype: 'int16' as const, shape: codes },
        { name: this.name(layer, `scales/${role}`), dtype: 'float64' as const, shape: [scales] },
      ]),
    ];
  }

  private write(name: string, data: Int16Array | Float64Array): void {
    const entry = this.entries.get(name);
    if (!entry || elementCount(entry.shape) !== data.length)
      throw new Error(`outputs: tensor ${name} of ${data.length} elements was not planned`);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    for (let done = 0; done < bytes.length;)
      done += writeSync(this.fd, bytes, done, bytes.length - done, this.dataStart + entry.offset + done);
  }
}
