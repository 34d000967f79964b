/** All machines. A new one is a file in this folder and a line here. */
import { UserError } from '../errors.js';
import { dadiannao } from './dadiannao.js';
import { hybrid } from './hybrid.js';
import type { MachineKind } from './machine.js';
import { masked } from './masked.js';
import { pragmatic } from './pragmatic.js';
import { sparsetrain, sparsetrainDense } from './sparsetrain.js';
import { stripes } from './stripes.js';
import { tetris } from './tetris.js';

export const MACHINES: readonly MachineKind[] = [
  dadiannao,
  pragmatic,
  stripes,
  tetris,
  sparsetrain,
  sparsetrainDense,
  hybrid,
  masked,
];

/** @throws UserError naming the machines there are */
export function machineKind(name: string): MachineKind {
  const kind = MACHINES.find((m) => m.name === name);
  if (kind) return kind;
  throw new UserError(
    'unknown-machine',
    `unknown machine ${name}; there are ${MACHINES.map((m) => m.name).join(', ')}`,
  );
}

export { dadiannao };
