/** The description of the stimulus files: its examples are the files that come along, and print what it says. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { UNITS } from '../../src/rtl/units.js';

const at = (path: string): string => readFileSync(new URL(`../../src/rtl/${path}`, import.meta.url), 'utf8');

const sections = new Map(
  at('STIMULUS.md')
    .split(/^## /m)
    .slice(1)
    .map((section) => [/`kneadsim pe (\w+)`/.exec(section)?.[1], section]),
);

describe.each(UNITS)('$name', (unit) => {
  const section = sections.get(unit.name)!;
  const example = JSON.parse(at(`examples/${unit.name}.json`)) as unknown;

  it('is described with the example that comes along', () => {
    expect(JSON.parse(/```json\n([^]*?)```/.exec(section)![1])).toEqual(example);
  });

  it('every field of the example is explained', () => {
    for (const field of Object.keys(example as object))
      expect(section).toMatch(new RegExp(`^\\|.*\`${field}\``, 'm'));
  });

  it('prints the lines that stand there, where they do', () => {
    const shown = /The example prints\n\n((?: {4}.*\n)+)/.exec(section)?.[1];
    const lines = unit.trace(unit.parse(example, 'example'), false);
    expect(lines.length).toBeGreaterThan(3);
    if (shown !== undefined)
      expect(lines).toEqual(
        shown
          .trimEnd()
          .split('\n')
          .map((line) => line.trim()),
      );
    else expect(['mac', 'row', 'ppu']).toContain(unit.name);
  });
});
