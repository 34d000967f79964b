/** Reads value change dumps (IEEE 1364-2005, section 18), line by line as simulators and we write them. */

export interface VcdDeclaration {
  /** Scopes and name, outermost first, joined by dots. */
  path: string;
  id: string;
  bits: number;
}

export interface ParsedVcd {
  declarations: VcdDeclaration[];
  /** Calls back at every time, and for every change in it. */
  replay(onTime: (time: number) => void, onChange: (id: string, bits: string) => void): void;
}

/** Widens a value to its declared bits: an unknown or high-impedance leading bit is repeated, others get zeros. */
export function widened(digits: string, bits: number): string {
  const first = digits[0];
  return digits.padStart(bits, first === 'x' || first === 'z' ? first : '0');
}

export function parseVcd(text: string): ParsedVcd {
  const declarations: VcdDeclaration[] = [];
  const scope: string[] = [];
  const end = text.indexOf('$enddefinitions');
  const head = end < 0 ? text : text.slice(0, end);
  // One declaration per line; identifiers may contain dollar signs.
  for (const [, kind, rest] of head.matchAll(/^\$(scope|var|upscope)\s(.*?)\$end$/gm)) {
    const words = rest.trim().split(/\s+/);
    if (kind === 'upscope') scope.pop();
    else if (kind === 'scope') scope.push(words[1]);
    else declarations.push({ path: [...scope, words[3]].join('.'), id: words[2], bits: Number(words[1]) });
  }
  const body = end < 0 ? '' : text.slice(text.indexOf('$end', end) + 4);
  return {
    declarations,
    replay(onTime, onChange) {
      for (let from = 0; from < body.length;) {
        let to = body.indexOf('\n', from);
        if (to < 0) to = body.length;
        const first = body[from];
        if (first === '#') onTime(Number(body.slice(from + 1, to)));
        else if (first === 'b') {
          const space = body.indexOf(' ', from);
          onChange(body.slice(space + 1, to), body.slice(from + 1, space));
        } else if (first !== undefined && '01xz'.includes(first)) onChange(body.slice(from + 1, to), first);
        from = to + 1;
      }
    },
  };
}
