/** The module src/arch/coefficients.ts, which machines use: areas, paths and energies of coefficients.json, set by set. */
import type { CoefficientSet, UnitCoefficients } from './coefficients.js';

const HEAD = (sets: readonly CoefficientSet[]): string => `/**
 * Area and energy of hardware units (SPEC section 9), written by "make synth" from src/rtl/coefficients.json, where
 * libraries, tools and commands stand. Do not edit. Each set is of one node; sets must not be mixed.
 */
import type { CoefficientSet } from './coefficient.js';

export const COEFFICIENTS: Readonly<Record<${sets.map(({ name }) => `'${name}'`).join(' | ')}, CoefficientSet>> = {`;

const record = (values: Readonly<Record<string, unknown>>): string => {
  const fields = Object.entries(values).map(
    ([name, value]) =>
      `${name}: ${value !== null && typeof value === 'object' ? record({ ...value }) : value}`,
  );
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
};

const quoted = (text: string): string => `'${text}'`;

function unitLines(each: UnitCoefficients): string[] {
  const { unit, precision, units, lanes, area, areaParts, criticalPath, energySplit } = each;
  const runs = Object.entries(each.energy ?? {});
  const parts = runs.filter(([, { parts }]) => parts).map(([run, { parts }]) => [run, parts]);
  const lines = [
    `unit: ${quoted(unit)}, precision: ${quoted(precision)}, units: ${units}, lanes: ${lanes},`,
    `um2: ${area},${criticalPath ? ` ns: ${criticalPath},` : ''}`,
    ...(areaParts ? [`um2Parts: ${record(areaParts)},`] : []),
    `pJ: ${record(Object.fromEntries(runs.map(([run, { pJ }]) => [run, pJ])))},`,
    ...(parts.length > 0 ? [`pJParts: ${record(Object.fromEntries(parts))},`] : []),
    ...(energySplit ? [`pJSplit: ${record(energySplit)},`] : []),
  ];
  return ['      {', ...lines.map((line) => `        ${line}`), '      },'];
}

export function coefficientsModule(sets: readonly CoefficientSet[]): string {
  const lines = sets.flatMap(({ name, node, source, sacBufferShare, units }) => [
    `  ${quoted(name)}: {`,
    `    node: ${quoted(node)},`,
    `    source: ${quoted(source)},`,
    `    sacBufferShare: ${record({ ...sacBufferShare })},`,
    '    units: [',
    ...units.flatMap(unitLines),
    '    ],',
    '  },',
  ]);
  return [HEAD(sets), ...lines, '};', ''].join('\n');
}
