/** `kneadsim trace info`: layers, shapes and formats of a trace, and the zero values and bits of its codes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import {
  PRECISIONS,
  SCALE_GRAINS,
  SCALE_RULES,
  bitStatistics,
  quantize,
  type BitStatistics,
  type QuantizeOptions,
} from '../quantize.js';
import { percent, printable, whole } from '../report/number.js';
import { textTable, type Column } from '../report/textTable.js';
import { macCount, outputSize } from '../tensor.js';
import { isCanonical } from '../trace/import/detect.js';
import { importTrace } from '../trace/import/import.js';
import { openTrace, type OpenedTrace } from '../trace/open.js';
import type { Role, TraceLayer } from '../trace/trace.js';

export function infoCommand(): Command {
  return new Command('info')
    .description('layers, shapes, formats, zero values and zero bits of a trace')
    .argument('<file>', 'canonical trace, or a source that "trace import" takes without options')
    .addOption(
      new Option('--precision <format>', 'codes to count bits of').choices(PRECISIONS).default('int16'),
    )
    .addOption(
      new Option(
        '--scale <rule>',
        'how floats are scaled (default: maxabs for int8, pow2 for int16)',
      ).choices(SCALE_RULES),
    )
    .addOption(
      new Option('--per <grain>', 'one scale per tensor or per filter')
        .choices(SCALE_GRAINS)
        .default('tensor'),
    )
    .option('--json', 'everything as JSON')
    .addHelpText(
      'after',
      `
Zero bits are counted over the magnitude bits of the codes; the histogram gives ones per bit position.

Try:
  kneadsim trace info traces/resnet8-fmnist-late-s00600.safetensors
  kneadsim trace info traces/waifu2x-vgg7-scale2.0x.safetensors --precision int8 --json`,
    )
    .action(runInfo);
}

type InfoFlags = Pick<QuantizeOptions, 'precision' | 'scale' | 'per'> & { json?: boolean };

async function runInfo(file: string, flags: InfoFlags): Promise<void> {
  const { json, ...options } = flags;
  const folder = mkdtempSync(join(tmpdir(), 'kneadsim-'));
  try {
    // Other formats take the way that import goes, so that both say the same of them.
    const converted = join(folder, 'trace.safetensors');
    const canonical = isCanonical(file);
    if (!canonical) await importTrace(file, converted);
    const trace = openTrace(canonical ? file : converted);
    try {
      const info = describe(file, trace, options);
      process.stdout.write(json ? `${JSON.stringify(info, null, 2)}\n` : renderInfo(info));
    } finally {
      trace.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const COUNTED: readonly Role[] = ['weight', 'input', 'grad_output'];

function describe(file: string, trace: OpenedTrace, options: QuantizeOptions) {
  const { network, source, licence, origin, provenance } = trace;
  // Of a source that was converted on the way, its own hash, not that of the passing copy.
  const hash = trace.file === file ? trace.hash : (origin?.sha256 ?? '');
  const layers = trace.layers.map((layer) => ({
    name: layer.name,
    op: layer.shape.op,
    shape: { ...layer.shape, ...outputSize(layer.shape) },
    macs: macCount(layer.shape),
    postRelu: layer.postRelu,
    tensors: layer.tensors,
    statistics: Object.fromEntries(
      COUNTED.filter((role) => layer.tensors[role]).map((role) => [
        role,
        statistics(file, layer, role, options),
      ]),
    ),
  }));
  const macs = layers.reduce((sum, layer) => sum + layer.macs, 0);
  const total = Object.fromEntries(
    COUNTED.map((role) => [role, layers.flatMap((layer) => layer.statistics[role] ?? [])] as const)
      .filter(([, parts]) => parts.length > 0)
      .map(([role, parts]) => [role, parts.reduce(sum)]),
  );
  return { file, hash, network, source, licence, origin, provenance, ...options, macs, layers, total };
}
type Info = ReturnType<typeof describe>;

function statistics(file: string, layer: TraceLayer, role: Role, options: QuantizeOptions) {
  // Only weights have filters along their first axis.
  const per = role === 'weight' ? (options.per ?? 'tensor') : 'tensor';
  const codes = quantize(
    layer.read(role),
    { ...options, per, unsignedAllowed: role === 'input' },
    { file, place: `layer "${layer.name}", ${role}` },
  );
  const { magnitudeBits, saturated } = codes;
  return withFractions({ magnitudeBits, saturated, ...bitStatistics(codes) });
}

type Counts = BitStatistics & { magnitudeBits: number; saturated: number };
const withFractions = (counts: Counts) => ({
  ...counts,
  zeroValueFraction: counts.zeroValues / counts.values,
  zeroBitFraction: counts.zeroBits / counts.bits,
});

/** Counts add up; a histogram of fewer bits has no ones in the bits above. */
function sum(a: Counts, b: Counts) {
  const longer = a.histogram.length >= b.histogram.length ? a.histogram : b.histogram;
  return withFractions({
    magnitudeBits: Math.max(a.magnitudeBits, b.magnitudeBits),
    saturated: a.saturated + b.saturated,
    values: a.values + b.values,
    zeroValues: a.zeroValues + b.zeroValues,
    bits: a.bits + b.bits,
    zeroBits: a.zeroBits + b.zeroBits,
    histogram: longer.map((_, bit) => (a.histogram[bit] ?? 0) + (b.histogram[bit] ?? 0)),
  });
}

function renderInfo(info: Info): string {
  return [
    `${printable(info.network)} (${info.file})`,
    `source  ${printable(info.source)}`,
    `licence ${printable(info.licence)}`,
    `sha256  ${info.hash}`,
    '',
    shapeTable(info),
    '',
    `zero values and bits of ${info.precision} codes`,
    '',
    bitTable(info),
    '',
  ].join('\n');
}

/** Columns of a table from its rows. */
const columnsOf = (head: string[], texts: number, rows: string[][]): Column[] =>
  head.map((title, i) => ({ head: [title], cells: rows.map((row) => row[i]), text: i < texts }));

function shapeTable({ layers, macs }: Info): string {
  const head = ['layer', 'op', 'weights', 'input', 'stride', 'pad tblr', 'dil', 'groups', 'MACs'];
  const rows = layers.map(({ name, op, shape: s, tensors, macs }) => [
    name,
    s.groups > 1 && s.groups === s.channels ? 'depthwise' : op,
    tensors.weight!.shape.join('x'),
    [s.batch, s.channels, s.height, s.width].join('x'),
    `${s.strideY}x${s.strideX}`,
    [s.padTop, s.padBottom, s.padLeft, s.padRight].join(':'),
    `${s.dilationY}x${s.dilationX}`,
    String(s.groups),
    whole(macs),
  ]);
  return textTable(columnsOf(head, 2, [...rows, ['total', '', '', '', '', '', '', '', whole(macs)]]));
}

function bitTable({ layers, total }: Info): string {
  const entries = layers.flatMap(({ name, tensors, statistics }) =>
    Object.entries(statistics).map(([role, count]) => ({
      name,
      role,
      dtype: tensors[role as Role]!.dtype,
      count,
    })),
  );
  const totals = Object.entries(total).map(([role, count]) => ({ name: 'total', role, dtype: '', count }));
  const rows = [...entries, ...totals];
  const columns = columnsOf(
    ['layer', 'tensor', 'stored', 'zero %', 'zero bits %'],
    3,
    rows.map(({ name, role, dtype, count }) => [
      name,
      role,
      dtype,
      percent(count.zeroValueFraction),
      percent(count.zeroBitFraction),
    ]),
  );
  const widest = Math.max(...rows.map(({ count }) => count.histogram.length));
  for (let bit = widest - 1; bit >= 0; bit--)
    columns.push({
      head: [String(bit)],
      cells: rows.map(({ count: { histogram, values } }) =>
        bit < histogram.length ? String(Math.round((100 * histogram[bit]) / values)) : '',
      ),
      gap: 1,
      group: 'ones per bit, %',
    });
  return textTable(columns, false);
}
