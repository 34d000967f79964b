/** Numbers in JSON by place, such as machines.0.total.cycles, and quotients and products of them: `1 / a.b`, `a.b / a.c`. */

const PLACE = /^[A-Za-z]\w*(\.\w+)+$/;
const NUMBER = /^\d+(\.\d+)?$/;

const isTerm = (term: string): boolean => PLACE.test(term) || NUMBER.test(term);

/** Whether `numberAt` understands it; other texts are words for people. */
export function isPlace(at: string): boolean {
  const [first, operator, second, ...more] = at.split(' ');
  if (operator === undefined) return PLACE.test(first);
  return isTerm(first) && /^[/*]$/.test(operator) && isTerm(second ?? '') && more.length === 0;
}

/** NaN where there is no such number. */
export function numberAt(json: unknown, at: string): number {
  const [first, operator, second] = at.split(' ');
  const a = term(json, first);
  if (operator === undefined) return a;
  const b = term(json, second);
  return operator === '/' ? a / b : a * b;
}

function term(json: unknown, text: string): number {
  if (NUMBER.test(text)) return Number(text);
  let part = json;
  for (const name of text.split('.')) {
    if (typeof part !== 'object' || part === null) return NaN;
    part = (part as Record<string, unknown>)[name];
  }
  return typeof part === 'number' ? part : NaN;
}
