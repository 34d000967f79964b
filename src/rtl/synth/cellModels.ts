/**
 * Functional Verilog models of standard cells, written from the `function` attributes of their Liberty library, so that
 * a netlist of any library can be simulated. No delays: a settled value per clock cycle is all that energy needs.
 */
import { UserError } from '../../errors.js';
import type { Cell, CellState } from './cells.js';

/**
 * A Liberty expression as Verilog. Liberty has two forms of NOT (`!a`, `a'`), three of AND (`a*b`, `a&b`, `a b`), two of
 * OR (`a+b`, `a|b`) and XOR, which binds closer than AND.
 */
export function verilogExpression(text: string): string {
  const tokens = text.match(/[A-Za-z_][\w[\]]*|[01]|[!'*&+|^()]/g) ?? [];
  let at = 0;
  const fault = (): Error => new UserError('bad-liberty', `the logic function "${text}" cannot be read`);
  if (tokens.join('') !== text.replace(/\s+/g, '')) throw fault();

  const primary = (): string => {
    const token = tokens[at++];
    let result: string;
    if (token === '(') {
      result = or();
      if (tokens[at++] !== ')') throw fault();
    } else if (token === '!') result = `~${primary()}`;
    else if (token === '0' || token === '1') result = `1'b${token}`;
    else if (token !== undefined && /^[A-Za-z_]/.test(token)) result = token;
    else throw fault();
    while (tokens[at] === "'") {
      at++;
      result = `~${result}`;
    }
    return result;
  };
  const chain = (part: () => string, isMark: (token: string) => boolean, operator: string): string => {
    const parts = [part()];
    while (at < tokens.length && isMark(tokens[at])) {
      at++;
      parts.push(part());
    }
    return parts.length === 1 ? parts[0] : `(${parts.join(` ${operator} `)})`;
  };
  const xor = (): string => chain(primary, (token) => token === '^', '^');
  const and = (): string => {
    const parts = [xor()];
    while (at < tokens.length && !/^[)+|]$/.test(tokens[at])) {
      if (tokens[at] === '*' || tokens[at] === '&') at++;
      parts.push(xor());
    }
    return parts.length === 1 ? parts[0] : `(${parts.join(' & ')})`;
  };
  const or = (): string => chain(and, (token) => token === '+' || token === '|', '|');

  const result = or();
  if (at !== tokens.length) throw fault();
  return result;
}

/** State starts with a value of its own: a netlist must work from whatever it wakes up with, as long as it is reset. */
function stateModel({ kind, state, inverse, data, clock, clear, preset }: CellState): string[] {
  const lines = [`  reg ${state};`, `  wire ${inverse} = ~${state};`, `  initial ${state} = $random;`];
  const forced: [string, string][] = [];
  if (clear) forced.push([verilogExpression(clear), "1'b0"]);
  if (preset) forced.push([verilogExpression(preset), "1'b1"]);
  const next = verilogExpression(data);
  if (kind === 'latch') {
    const branches = [...forced, [verilogExpression(clock), next]];
    const body = branches
      .map(([condition, value]) => `if (${condition}) ${state} <= ${value};`)
      .join(' else ');
    return [...lines, `  always @* ${body}`];
  }
  const edges = [`posedge clock`, ...forced.map((_, i) => `posedge force_${i}`)];
  const branches = forced.map(([, value], i) => `if (force_${i}) ${state} <= ${value}; else `).join('');
  return [
    ...lines,
    `  wire clock = ${verilogExpression(clock)};`,
    ...forced.map(([condition], i) => `  wire force_${i} = ${condition};`),
    `  always @(${edges.join(' or ')}) ${branches}${state} <= ${next};`,
  ];
}

/** @throws UserError if the cell does something that functions of a library do not tell (tri-state, memories) */
export function cellModel(cell: Cell): string {
  const pins = [...cell.pins.values()].filter(({ direction }) => direction !== 'internal');
  const lines = [`module ${cell.name} (${pins.map(({ name }) => name).join(', ')});`];
  for (const { name, direction } of pins) {
    if (direction !== 'input' && direction !== 'output')
      throw new UserError(
        'bad-liberty',
        `cell ${cell.name}: pin ${name} is ${direction}, expected input or output`,
      );
    lines.push(`  ${direction} ${name};`);
  }
  if (cell.states.length > 1)
    throw new UserError('bad-liberty', `cell ${cell.name}: several states in one cell are not supported`);
  for (const state of cell.states) lines.push(...stateModel(state));
  for (const pin of pins) {
    if (pin.direction !== 'output') continue;
    if (pin.function === null)
      throw new UserError('bad-liberty', `cell ${cell.name}: output ${pin.name} has no function`);
    lines.push(`  assign ${pin.name} = ${verilogExpression(pin.function)};`);
  }
  return [...lines, 'endmodule', ''].join('\n');
}
