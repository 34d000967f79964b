/**
 * Rear adder tree of a SAC unit (SPEC section 3): LV = max(1, ceil(log2 B)) registered stages that form
 * sum over b of S_b * 2^b. Stage 1 adds neighbouring segments, each further stage neighbouring partial sums; all
 * stages move together when the output port lets them.
 */

export const treeStages = (magnitudeBits: number): number => Math.max(1, Math.ceil(Math.log2(magnitudeBits)));

/** Partial sums that stage 1 holds; later stages hold fewer and use the first ones of their row. */
export const treeWidth = (magnitudeBits: number): number => Math.ceil(magnitudeBits / 2);

/**
 * Moves the tree by one cycle.
 * @param valid one flag per stage, `stages` of them from `validAt`
 * @param sums stage k's partial sums at sumsAt + k * width
 * @param capture whether stage 1 takes the segments in this cycle
 * @param stages LV, where the caller knows it already
 */
export function moveTree(
  valid: Int32Array,
  validAt: number,
  sums: Float64Array,
  sumsAt: number,
  magnitudeBits: number,
  segments: Int32Array | Float64Array,
  segmentsAt: number,
  capture: boolean,
  stages = treeStages(magnitudeBits),
): void {
  const width = treeWidth(magnitudeBits);
  // From the last stage back, so that each reads what its predecessor held before the edge.
  for (let k = stages - 1; k > 0; k--) {
    valid[validAt + k] = valid[validAt + k - 1];
    if (valid[validAt + k] === 0) continue;
    const from = sumsAt + (k - 1) * width;
    const to = sumsAt + k * width;
    const inputs = (magnitudeBits + (1 << k) - 1) >> k;
    // Neighbours of stage k - 1 are 2^k segment positions apart.
    for (let i = 0; 2 * i < inputs; i++)
      sums[to + i] = sums[from + 2 * i] + (2 * i + 1 < inputs ? sums[from + 2 * i + 1] * 2 ** (1 << k) : 0);
  }
  valid[validAt] = capture ? 1 : 0;
  if (!capture) return;
  for (let i = 0; 2 * i < magnitudeBits; i++)
    sums[sumsAt + i] =
      segments[segmentsAt + 2 * i] + (2 * i + 1 < magnitudeBits ? segments[segmentsAt + 2 * i + 1] * 2 : 0);
}
