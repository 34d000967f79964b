/** Every machine of the registry obeys every law; a new machine is tested by being registered. */
import { describe, it } from 'vitest';
import { MACHINES } from '../../src/arch/registry.js';
import { LAWS } from '../support/laws.js';

describe.each(MACHINES)('$name', (kind) => {
  it.each(Object.entries(LAWS))('%s', (_, law) => {
    law(kind);
  });
});
