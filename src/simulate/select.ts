/** Which layers of a trace run, and at which level of detail; what they lack is found before anything runs. */
import { noActivations } from '../arch/activations.js';
import type { ChosenMachine } from '../arch/choose.js';
import type { Level, Phase } from '../arch/machine.js';
import { badInput, UserError } from '../errors.js';
import { globMatcher } from '../glob.js';
import type { Role, Trace, TraceLayer } from '../trace/trace.js';
import type { RunOptions } from './options.js';

/** Layers whose names match. @throws UserError if none does */
export function selectLayers(trace: Trace, glob: string | undefined): TraceLayer[] {
  const layers = glob === undefined ? trace.layers : trace.layers.filter((l) => globMatcher(glob)(l.name));
  if (layers.length === 0)
    throw new UserError(
      'no-layer',
      `${trace.file}: no layer matches ${glob ?? '*'}; it has ${trace.layers.map((l) => l.name).join(', ')}`,
    );
  return layers;
}

/** Phases of a layer: the first of a network has nobody to pass its gradient on to. */
export const phasesOfLayer = (
  phases: readonly Phase[],
  trace: Trace,
  layer: TraceLayer,
  { firstGradInput = false }: RunOptions,
): Phase[] =>
  phases.filter((phase) => phase !== 'gradInput' || firstGradInput || layer.name !== trace.layers[0].name);

/** @throws UserError naming the first tensor that a backward phase lacks, or scales that it cannot sum over */
export function checkTensors(
  trace: Trace,
  layers: TraceLayer[],
  phases: readonly Phase[],
  o: RunOptions,
): void {
  const backward = phases.filter((phase) => phase !== 'forward');
  if (backward.length === 0) return;
  for (const layer of layers)
    requireRecorded(trace.file, layer, ['grad_output', 'input'], backward.join(' and '));
  if (o.per === 'channel' && phases.includes('gradInput'))
    throw new UserError(
      'scales-per-channel',
      '--per channel: gradInput sums over filters, whose scales differ; use --per tensor, or --phase forward,gradWeight',
    );
}

/** Step where all activations are there, unless told otherwise. Missing ones are found before anything runs. */
export function chooseLevel(
  trace: Trace,
  layers: TraceLayer[],
  machines: readonly ChosenMachine[],
  level: Level | undefined,
): Level {
  const bare = layers.find((l) => !l.tensors.input);
  const chosen = level ?? (bare ? 'count' : 'step');
  const needs = machines.find(({ kind }) => chosen === 'step' || kind.needsActivations);
  if (bare && needs)
    throw noActivations(`${trace.file}: layer ${bare.name}`, bare.name, needs.kind.name, `level ${chosen}`);
  return chosen;
}

/** @throws UserError where a phase of training lacks a recorded tensor */
function requireRecorded(file: string, layer: TraceLayer, roles: readonly Role[], phases: string): void {
  for (const role of roles)
    if (!layer.tensors[role])
      throw badInput('no-gradients', {
        file,
        place: `layer ${layer.name}`,
        found: `no ${role}`,
        expected: `a recorded ${role} beside the others (phases: ${phases})`,
        remedy:
          'use a whole recorded training step ("kneadsim record" makes some, others are bundled in traces/)' +
          (role === 'grad_output' ? ', or --phase forward' : ''),
      });
}
