/**
 * The bound of masked kneading by plain loops, from codes and SPEC section 7 alone: each output is one stream of terms,
 * cut into groups of KS; a group takes as many rows as its fullest bit column, counting operands whose partner is not
 * zero, and at least one. Shares nothing with the machines but the codes. Convolutions without groups and dilation.
 */
import type { Codes } from '../../src/quantize.js';
import type { LoadedLayer } from '../../src/simulate/load.js';
import { outputSize } from '../../src/tensor.js';

const STRIDE = 16;

/** Items, which a dense lane takes in a cycle each, and rows. */
export interface Recount {
  items: number;
  rows: number;
}

class Streams implements Recount {
  items = 0;
  rows = 0;
  private group: number[] = [];
  private size = 0;

  constructor(private readonly magnitudeBits: number) {}

  term(operand: number, partner: number): void {
    this.items++;
    this.size++;
    if (partner !== 0) this.group.push(Math.abs(operand));
    if (this.size === STRIDE) this.close();
  }

  /** The output ends, and with it its last group. */
  end(): void {
    if (this.size > 0) this.close();
  }

  private close(): void {
    let most = 1;
    for (let b = 0; b < this.magnitudeBits; b++)
      most = Math.max(
        most,
        this.group.filter((magnitude) => Math.floor(magnitude / 2 ** b) % 2 === 1).length,
      );
    this.rows += most;
    this.group = [];
    this.size = 0;
  }
}

/** All phases of a layer. @param gradInput whether the layer has that phase */
export function recountMasked(
  { shape: s, weight, input, gradOutput }: LoadedLayer,
  gradInput: boolean,
): Recount[] {
  const { outHeight, outWidth } = outputSize(s);
  const { batch, channels, height, width, filters, kernelHeight, kernelWidth } = s;
  const w = (f: number, c: number, r: number, k: number): number =>
    weight.codes.codes[((f * channels + c) * kernelHeight + r) * kernelWidth + k];
  const inside =
    (codes: Codes, planes: number, h: number, v: number) => (n: number, p: number, y: number, x: number) =>
      y < 0 || x < 0 || y >= h || x >= v ? 0 : codes.codes[((n * planes + p) * h + y) * v + x];
  const a = inside(input!.codes, channels, height, width);
  const g = inside(gradOutput!.codes, filters, outHeight, outWidth);
  const each = (size: number, visit: (i: number) => void): void => {
    for (let i = 0; i < size; i++) visit(i);
  };
  const row = (y: number, r: number): number => y * s.strideY + r - s.padTop;
  const column = (x: number, k: number): number => x * s.strideX + k - s.padLeft;

  const forward = new Streams(weight.codes.magnitudeBits);
  each(batch, (n) =>
    each(filters, (f) =>
      each(outHeight, (y) =>
        each(outWidth, (x) => {
          each(kernelHeight, (r) =>
            each(kernelWidth, (k) =>
              each(channels, (c) => forward.term(w(f, c, r, k), a(n, c, row(y, r), column(x, k)))),
            ),
          );
          forward.end();
        }),
      ),
    ),
  );

  const backward = new Streams(weight.codes.magnitudeBits);
  if (gradInput)
    each(batch, (n) =>
      each(channels, (c) =>
        each(height, (y) =>
          each(width, (x) => {
            each(kernelHeight, (r) =>
              each(kernelWidth, (k) => {
                const oy = (y + s.padTop - r) / s.strideY;
                const ox = (x + s.padLeft - k) / s.strideX;
                // Stride holes and taps beyond the output are no terms.
                if (
                  !Number.isInteger(oy) ||
                  !Number.isInteger(ox) ||
                  oy < 0 ||
                  ox < 0 ||
                  oy >= outHeight ||
                  ox >= outWidth
                )
                  return;
                each(filters, (f) => backward.term(w(f, c, r, k), g(n, f, oy, ox)));
              }),
            );
            backward.end();
          }),
        ),
      ),
    );

  const byWeight = new Streams(input!.codes.magnitudeBits);
  each(filters, (f) =>
    each(channels, (c) =>
      each(kernelHeight, (r) =>
        each(kernelWidth, (k) => {
          each(batch, (n) =>
            each(outHeight, (y) =>
              each(outWidth, (x) => byWeight.term(a(n, c, row(y, r), column(x, k)), g(n, f, y, x))),
            ),
          );
          byWeight.end();
        }),
      ),
    ),
  );
  return [forward, backward, byWeight];
}
