/** Runs a command line inside the test, with its own stdout and stderr. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect } from 'vitest';
import { run } from '../../src/cli/program.js';
import type { Report } from '../../src/report/report.js';

export interface Outcome {
  code: number;
  out: string;
  err: string;
}

export async function kneadsim(...args: string[]): Promise<Outcome> {
  const outcome: Outcome = { code: -1, out: '', err: '' };
  outcome.code = await run(args, {
    out: (text) => void (outcome.out += text),
    err: (text) => void (outcome.err += text),
    colour: false,
    watched: false,
  });
  return outcome;
}

/** Standard output of a run that must go well and have nothing to say. */
export async function good(...args: string[]): Promise<string> {
  const { code, out, err } = await kneadsim(...args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out;
}

export const goodReport = async (...args: string[]): Promise<Report> =>
  JSON.parse(await good(...args, '--json')) as Report;

/** A user error: exit 1, nothing on stdout, one line on stderr. Returns the line. */
export async function refused(...args: string[]): Promise<string> {
  const { code, out, err } = await kneadsim(...args);
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toMatch(/^kneadsim: [^\n]+\n$/);
  return err;
}

const traceFile = (name: string): string => `traces/${name}.safetensors`;
export const LENET = traceFile('lenet5-fmnist-late-s01500');
export const WEIGHTS_ONLY = traceFile('waifu2x-vgg7-scale2.0x');
export const SEPARABLE = traceFile('mediapipe-selfie_segmentation');

const folders: string[] = [];

/** A folder that goes after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kneadsim-test-'));
  folders.push(folder);
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
