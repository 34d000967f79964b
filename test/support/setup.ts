/**
 * Runs before every test file: one pinned seed for all properties, so that a run is the same everywhere, and one
 * factor on the number of runs. A failing property prints its seed and path; `KNEADSIM_SEED` draws other cases.
 */
import fc from 'fast-check';
import { runs, seed } from './runs.js';

fc.configureGlobal({ seed, numRuns: runs(100) });
