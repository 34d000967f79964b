/** All claims, in the order of the page. */
import type { Section } from '../claim.js';
import { bounds } from './bounds.js';
import { dense } from './dense.js';
import { energy } from './energy.js';
import { kneading } from './kneading.js';
import { pruning } from './pruning.js';
import { sparsetrain } from './sparsetrain.js';
import { synchronisation } from './synchronisation.js';
import { system } from './system.js';
import { tetris } from './tetris.js';
import { timing } from './timing.js';
import { units } from './units.js';
import { zeroBits } from './zeroBits.js';

export const SECTIONS: readonly Section[] = [
  zeroBits,
  kneading,
  timing,
  synchronisation,
  tetris,
  units,
  dense,
  pruning,
  sparsetrain,
  bounds,
  system,
  energy,
];
