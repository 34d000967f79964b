/**
 * TensorFlow.js, which trains the networks that are recorded. It is an optional dependency and is loaded here, when
 * recording, and nowhere else. Its wasm backend is used, on one thread: 5 to 20 times as fast as the plain JavaScript
 * backend, and deterministic, since WebAssembly fixes every bit of its arithmetic and nothing runs in parallel.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as TensorFlow from '@tensorflow/tfjs-core';
import { UserError } from '../errors.js';
import { registerGradients } from './gradients.js';

export type Tf = typeof TensorFlow;

export const TENSORFLOW_VERSION = '4.22.0';
const CORE = '@tensorflow/tfjs-core';
const BACKEND = '@tensorflow/tfjs-backend-wasm';

/** From beside kneadsim or, where that is installed without it, from where the user is. */
async function load(name: string): Promise<unknown> {
  try {
    return await import(name);
  } catch (error) {
    if (!isMissing(error)) throw error;
    const path = createRequire(join(process.cwd(), 'package.json')).resolve(name);
    return import(pathToFileURL(path).href);
  }
}

const isMissing = (error: unknown): boolean =>
  ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes((error as NodeJS.ErrnoException).code ?? '');

/**
 * @param from loads a package by its name
 * @throws UserError with the command that installs it, if it is not there
 */
export async function loadTensorFlow(from: (name: string) => Promise<unknown> = load): Promise<Tf> {
  const tf = (await found(from, CORE)) as Tf;
  await found(from, BACKEND);
  // Threads would add partial sums in another order in each run.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  const started = await withoutItsListeners(() => tf.setBackend('wasm'));
  if (!started)
    throw new UserError(
      'no-tensorflow',
      `the wasm backend of TensorFlow.js does not start on Node ${process.version}; take Node 20 or 22`,
    );
  registerGradients(tf);
  return tf;
}

/** The backend listens for uncaught errors only to throw them again, with its whole source in front. */
async function withoutItsListeners<T>(start: () => Promise<T>): Promise<T> {
  const events = ['uncaughtException', 'unhandledRejection'];
  const before = events.map((event) => new Set(process.listeners(event as NodeJS.Signals)));
  const result = await start();
  for (const [index, event] of events.entries())
    for (const listener of process.listeners(event as NodeJS.Signals))
      if (!before[index].has(listener)) process.removeListener(event, listener);
  return result;
}

async function found(from: (name: string) => Promise<unknown>, name: string): Promise<unknown> {
  try {
    return await from(name);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new UserError(
      'no-tensorflow',
      `recording needs the npm package ${name}, which is not installed; install it: ` +
        `npm install --no-save ${CORE}@${TENSORFLOW_VERSION} ${BACKEND}@${TENSORFLOW_VERSION}`,
    );
  }
}
