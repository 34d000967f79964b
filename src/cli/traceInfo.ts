/** `kneadsim trace info`: layers, shapes and formats of a trace, and the zero values and bits of its codes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
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
  const { network, source, licence, hash, macs, layers, total } = info;
  const shapes = plainTable([
    'layer',
    'op',
    'weights',
    'input',
    'stride',
    'pad t:b:l:r',
    'dil',
    'grp',
    'MACs',
  ]);
  const bits = plainTable([
    'layer',
    'tensor',
    'stored',
    'zero %',
    'zero bits %',
    'ones per bit, %, most significant first',
  ]);
  for (const { name, op, shape: s, tensors, statistics, macs: layerMacs } of layers) {
    shapes.push([
      shorten(name),
      s.groups > 1 && s.groups === s.channels ? 'depthwise' : op,
      tensors.weight!.shape.join('x'),
      [s.batch, s.channels, s.height, s.width].join('x'),
      `${s.strideY}x${s.strideX}`,
      [s.padTop, s.padBottom, s.padLeft, s.padRight].join(':'),
      `${s.dilationY}x${s.dilationX}`,
      s.groups,
      layerMacs.toLocaleString('en'),
    ]);
    for (const [role, count] of Object.entries(statistics))
      bits.push(bitRow(shorten(name), role, tensors[role as Role]!.dtype, count));
  }
  for (const [role, count] of Object.entries(total)) bits.push(bitRow('total', role, '', count));
  return [
    `${network} (${info.file})`,
    `source  ${source}`,
    `licence ${licence}`,
    `sha256  ${hash}`,
    '',
    shapes.toString(),
    `${layers.length} layers, ${macs.toLocaleString('en')} MACs`,
    '',
    `bits of ${info.precision} codes`,
    bits.toString(),
    '',
  ].join('\n');
}

type Statistics = ReturnType<typeof statistics>;
const bitRow = (name: string, role: string, dtype: string, count: Statistics): string[] => [
  name,
  role,
  dtype,
  percent(count.zeroValueFraction),
  percent(count.zeroBitFraction),
  count.histogram
    .map((ones) => Math.round((100 * ones) / count.values))
    .reverse()
    .join(' '),
];
const percent = (fraction: number): string => (100 * fraction).toFixed(1);
const shorten = (name: string): string =>
  name.length > 24 ? `${name.slice(0, 11)}…${name.slice(-12)}` : name;

function plainTable(head: string[]) {
  const none = Object.fromEntries(
    'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid middle'
      .split(' ')
      .map((part) => [part, '']),
  );
  return new Table({
    head,
    chars: none,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
}
