/**
 * Pruning thresholds (SPEC section 5; SparseTrain, arXiv:2007.13595, and arXiv:1908.00173 before it). Gradients are
 * taken for normal with mean 0: sigma is estimated from their mean magnitude, and the threshold tau is the magnitude
 * that a share p of them stays below. Hardware that prunes while it streams predicts tau from earlier steps.
 */
import { inverseNormalCdf } from './inverseNormal.js';

/** N_F: exact thresholds in the FIFO that predicts the next one, unless told otherwise. */
export const THRESHOLD_FIFO_SIZE = 4;

/**
 * Sum of |x| by A. Neumaier's compensated summation (1974): what each addition rounds away is summed beside it, so the
 * error does not grow with the number of terms.
 */
function sumOfMagnitudes(values: ArrayLike<number>): number {
  let sum = 0;
  let lost = 0;
  for (let i = 0; i < values.length; i++) {
    const x = Math.abs(values[i]);
    const next = sum + x;
    lost += sum >= x ? sum - next + x : x - next + sum;
    sum = next;
  }
  return sum + lost;
}

/** theta = tau / sigma for a target p: the magnitude below which a share p of standard normal values lies. */
function standardThreshold(p: number): number {
  if (!(p >= 0 && p < 1)) throw new RangeError(`target p is ${p}, expected at least 0 and below 1`);
  // -z((1-p)/2) rather than z((1+p)/2), the same by symmetry: 1 - p keeps its digits when p is close to 1.
  return p === 0 ? 0 : -inverseNormalCdf((1 - p) / 2);
}

/**
 * rho(p) = (1-p) + sqrt(2/pi) (1 - exp(-theta^2/2)) / theta: density of normal gradients after pruning at target p.
 * The first term are those kept, the second those set to +-tau. 1 for p = 0.
 */
export function prunedDensity(p: number): number {
  const theta = standardThreshold(p);
  if (theta === 0) return 1;
  return 1 - p - (Math.sqrt(2 / Math.PI) * Math.expm1((-theta * theta) / 2)) / theta;
}

/**
 * sigma = sqrt(pi/2) mean|g| over all elements, zeros included: the half-normal estimate. (A public implementation
 * scales the mean by another factor.) 0 for no elements.
 */
export function halfNormalSigma(values: ArrayLike<number>): number {
  const n = values.length;
  if (n === 0) return 0;
  const mean = sumOfMagnitudes(values) / n;
  if (!Number.isFinite(mean))
    throw new RangeError(`the mean magnitude of the gradients is ${mean}, expected finite gradients`);
  return Math.sqrt(Math.PI / 2) * mean;
}

/** tau = inverseNormalCdf((1+p)/2) sigma, from this step's own gradients. 0 for p = 0. */
export function exactThreshold(values: ArrayLike<number>, p: number): number {
  const theta = standardThreshold(p);
  return theta === 0 ? 0 : theta * halfNormalSigma(values);
}

/**
 * Predicts the threshold of a step as the mean of the exact thresholds of the last N_F steps. One per layer. Ask for
 * the prediction of a step before its own exact threshold is pushed.
 */
export class ThresholdFifo {
  private readonly taus: number[] = [];

  /**
   * @param size N_F, in steps
   * @param values thresholds of earlier steps, oldest first, as `values()` gave them
   */
  constructor(
    readonly size: number = THRESHOLD_FIFO_SIZE,
    values: readonly number[] = [],
  ) {
    if (!Number.isSafeInteger(size) || size < 1)
      throw new RangeError(`size of the threshold FIFO is ${size}, expected a whole number of at least 1`);
    for (const tau of values) this.push(tau);
  }

  push(tau: number): void {
    if (!(tau >= 0 && tau < Infinity))
      throw new RangeError(`threshold pushed is ${tau}, expected a finite number of at least 0`);
    this.taus.push(tau);
    if (this.taus.length > this.size) this.taus.shift();
  }

  /** Threshold for the next step; null until N_F are known, and then nothing is pruned. */
  get predicted(): number | null {
    if (this.taus.length < this.size) return null;
    return this.taus.reduce((sum, tau) => sum + tau, 0) / this.size;
  }

  /** What is held, oldest first. */
  values(): number[] {
    return [...this.taus];
  }
}
