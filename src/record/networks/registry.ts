/** The networks that can be recorded. Another one is another file and a line here. */
import { UserError } from '../../errors.js';
import { checkTrainable } from '../convolution.js';
import { lenet5 } from './lenet5.js';
import type { Network } from './network.js';
import { resnet8 } from './resnet8.js';
import { tcn } from './tcn.js';

export const NETWORKS: readonly Network[] = [lenet5, resnet8, tcn];

/** @throws UserError that lists the networks, if there is none of this name */
export function networkOf(name: string): Network {
  const network = NETWORKS.find((candidate) => candidate.name === name);
  if (!network)
    throw new UserError(
      'unknown-network',
      `network "${name}" is unknown; choose one of ${NETWORKS.map((known) => known.name).join(', ')}`,
    );
  for (const { shape } of network.layers) checkTrainable(shape);
  return network;
}
