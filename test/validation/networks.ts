/**
 * The networks that claims are tested on, and how each becomes a trace file: bundled with kneadsim, imported from a
 * SCALE-Sim topology of published layer shapes (seeded synthetic values), or made here (made.ts).
 */
import { fileURLToPath } from 'node:url';
import { UserError } from '../../src/errors.js';
import { importTrace } from '../../src/trace/import/import.js';
import { MADE } from './made.js';

/** Recorded: real weights; the first three are whole training steps. */
export const TRAINED = {
  resnet8: 'resnet8-fmnist-late-s00600',
  lenet5: 'lenet5-fmnist-late-s01500',
  tcn: 'tcn-seqfmnist-late-s00600',
} as const;
export const RECORDED = {
  ...TRAINED,
  waifu2x: 'waifu2x-vgg7-scale2.0x',
  faceapi: 'faceapi-tiny_face_detector',
  selfie: 'mediapipe-selfie_segmentation',
} as const;
export type Trained = keyof typeof TRAINED;
export type Recorded = keyof typeof RECORDED;
export const trained = Object.keys(TRAINED) as Trained[];
export const recorded = Object.keys(RECORDED) as Recorded[];

/** As people read them: VGG-7 is waifu2x, the next a face detector, the last a segmentation of selfies. */
export const TITLES: Record<Recorded, string> = {
  resnet8: 'ResNet-8',
  lenet5: 'LeNet-5',
  tcn: 'TCN',
  waifu2x: 'VGG-7',
  faceapi: 'face det.',
  selfie: 'selfie seg.',
};

/** Topologies in networks/. Sizes include padding; layers of two groups are two layers, as the format has no groups. */
export const TOPOLOGIES = ['alexnet', 'vgg16', 'anchor'] as const;
const SEED = 1;

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const isTopology = (name: string): boolean => (TOPOLOGIES as readonly string[]).includes(name);

/** The file of a network as commands name it, from the root of the repository. */
export const commandFile = (name: string): string =>
  name in RECORDED ? `traces/${RECORDED[name as Recorded]}.safetensors` : `${name}.safetensors`;

/** The command that makes the file of a network; null where it is bundled. */
export function makeCommand(name: string): string | null {
  if (name in RECORDED) return null;
  return isTopology(name)
    ? `kneadsim trace import test/validation/networks/${name}.csv --seed ${SEED} --out ${commandFile(name)}`
    : `npx tsx test/validation/validate.ts --trace ${name} --out ${commandFile(name)}`;
}

/** The trace of a recorded network. */
export const recordedFile = (name: Recorded): string => here(`../../${commandFile(name)}`);

/**
 * Makes the file of a network that is not bundled.
 * @param others where to find networks that it is made from
 * @throws UserError if there is no such network
 */
export async function makeNetwork(
  name: string,
  out: string,
  others: (name: string) => Promise<string>,
): Promise<void> {
  if (isTopology(name)) await importTrace(here(`networks/${name}.csv`), out, { seed: SEED });
  else if (name in MADE) await MADE[name](out, others);
  else
    throw new UserError(
      'unknown-network',
      `--trace ${name}: no such network; there are ${[...TOPOLOGIES, ...Object.keys(MADE)].join(', ')}`,
    );
}
