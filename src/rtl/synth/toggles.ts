/** Counts transitions in a VCD (IEEE 1364, section 18) of a netlist: how often each net changes from 0 to 1 or back. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { FlatNetlist } from './netlist.js';

const CHUNK = 1 << 22;

/** Lines of a text file, read in pieces: a VCD may be larger than a string can be. */
function* linesOf(path: string): Generator<string> {
  const fd = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(CHUNK);
    let rest = '';
    for (;;) {
      const count = readSync(fd, buffer, 0, CHUNK, null);
      if (count === 0) break;
      const lines = (rest + buffer.toString('latin1', 0, count)).split('\n');
      rest = lines.pop()!;
      yield* lines;
    }
    if (rest !== '') yield rest;
  } finally {
    closeSync(fd);
  }
}

export interface Activity {
  /** Transitions of each net while the dump was on. */
  toggles: Uint32Array;
  /** Share of that time in which it was 1. */
  high: Float64Array;
}

/**
 * @param root scope of the netlist's top, as in the VCD: `gate_check.gates`
 */
export function countToggles(path: string, root: string, netlist: FlatNetlist): Activity {
  const high = new Float64Array(netlist.nets);
  const toggles = new Uint32Array(netlist.nets);
  const state = new Int8Array(netlist.nets).fill(-1);
  // Net of each identifier.
  const variables = new Map<string, number>();
  const scopes: string[] = [];
  let on = true;
  let now = 0;
  let from = 0;

  // While the dump is off all is unknown: what comes after is no transition.
  const change = (net: number, value: number): void => {
    if (state[net] >= 0 && value >= 0 && state[net] !== value) toggles[net]++;
    if (on && value !== state[net]) high[net] += value === 1 ? -now : state[net] === 1 ? now : 0;
    state[net] = value;
  };

  const declare = (line: string): void => {
    const [, , , id, name] = line.trim().split(/\s+/);
    const scope = scopes.join('.');
    if (scope !== root && !scope.startsWith(`${root}.`)) return;
    const net = netlist.netOf(scope.slice(root.length + 1), name);
    // A net has a name in every module that it passes; repeated, a value is no transition.
    if (net !== undefined && net >= 0) variables.set(id, net);
  };

  for (const line of linesOf(path)) {
    const first = line[0];
    if (first === '0' || first === '1' || first === 'x' || first === 'z') {
      const net = variables.get(line.slice(1));
      if (net !== undefined) change(net, first === '0' ? 0 : first === '1' ? 1 : -1);
    } else if (first === '#') now = Number(line.slice(1));
    else if (line.startsWith('$dumpoff')) on = false;
    else if (line.startsWith('$dumpon')) {
      on = true;
      from = now;
      high.fill(0);
    } else if (/^\s*\$scope/.test(line)) scopes.push(line.trim().split(/\s+/)[2]);
    else if (/^\s*\$upscope/.test(line)) scopes.pop();
    else if (/^\s*\$var/.test(line)) declare(line);
  }
  for (let net = 0; net < netlist.nets; net++)
    high[net] = now > from ? (high[net] + (state[net] === 1 ? now : 0)) / (now - from) : 0;
  return { toggles, high };
}
