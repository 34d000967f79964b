/**
 * `sweep.csv` and `sweep.parquet` out of the point files, in the order of the points: a row per point, layer and phase,
 * and the totals, with the columns of `replay --csv` behind the number of the point and its axes. The files depend on
 * nothing but the sweep: not on when, where, by whom or in which order points were computed.
 */
import { join } from 'node:path';
import { UserError, VerificationError } from '../errors.js';
import { atomicWrite, atomicWriteText, removeFile, writeFully } from '../files.js';
import { csvOf, csvRecords, tableOf } from '../report/csv.js';
import { axisType, type Axis, type Point } from './grid.js';
import { measuredType, parquetBytes, type ColumnType } from './parquet.js';
import { pointPath, readPoint } from './pointFile.js';
import { requireSame, specHash, type Spec } from './spec.js';

export const CSV_FILE = 'sweep.csv';
export const PARQUET_FILE = 'sweep.parquet';

/** Names of options that rows have in another sense: a row has one phase, a point may have several; memory is a preset. */
const RENAMED: Record<string, string> = { phase: 'phases', memory: 'memoryPreset' };

/**
 * Writes the result files. Where that cannot be, no result files are left, and unusable point files are removed, so that
 * engines that go by files run those points again.
 * @throws UserError if points are missing or damaged, VerificationError if some failed
 */
export function collect(folder: string, spec: Spec, points: readonly Point[]): string[] {
  const sweep = specHash(requireSame(folder, spec));
  const missing: number[] = [];
  const failed: number[] = [];
  const records: object[] = [];
  const columns = new Columns(spec.axes);
  for (const point of points) {
    const { state, report } = readPoint(folder, sweep, point.index);
    if (state === 'failed') failed.push(point.index);
    else if (!report) {
      missing.push(point.index);
      if (state === 'damaged') removeFile(pointPath(folder, point.index));
    } else if (missing.length + failed.length === 0)
      for (const record of csvRecords(report)) records.push(columns.record(point, record));
  }
  const files = [join(folder, CSV_FILE), join(folder, PARQUET_FILE)];
  if (missing.length + failed.length > 0) files.forEach(removeFile);
  if (failed.length > 0) throw verificationFailed(folder, failed);
  if (missing.length > 0)
    throw new UserError(
      'points-missing',
      `${folder}: ${listOf(missing)} missing or damaged; compute them with "kneadsim sweep --out ${folder}", then collect`,
    );
  atomicWriteText(files[0], csvOf(records));
  const { header, rows } = tableOf(records);
  const bytes = parquetBytes(
    header.map((name, i) => {
      const values = rows.map((row) => row[i]);
      return { name, type: columns.types.get(name) ?? measuredType(name, values), values };
    }),
    { 'kneadsim.sweep': sweep, 'kneadsim.trace': spec.trace.hash },
  );
  atomicWrite(files[1], (fd) => writeFully(fd, bytes));
  return files;
}

export const verificationFailed = (folder: string, failed: readonly number[]): VerificationError =>
  new VerificationError(
    'violations',
    `${listOf(failed)} not verified; see "violations" in ${pointPath(folder, failed[0])}; there are no result files`,
  );

const SHOWN = 10;

/** Points in words, with their verb. */
function listOf(points: readonly number[]): string {
  const shown = points.slice(0, SHOWN).join(', ');
  const rest = points.length - SHOWN;
  return points.length === 1
    ? `point ${shown} is`
    : `points ${shown}${rest > 0 ? ` and ${rest} more` : ''} are`;
}

/** The columns in front of those of the report. */
class Columns {
  readonly types = new Map<string, ColumnType>([['point', 'integer']]);
  private names: string[] | null = null;

  constructor(private readonly axes: readonly Axis[]) {}

  record({ index, values }: Point, record: object): object {
    this.names ??= this.nameAll(record);
    const front: Record<string, unknown> = { point: index };
    this.axes.forEach((_, i) => {
      const name = this.names![i];
      const numeric = this.types.get(name) !== 'text' && values[i] !== null;
      front[name] = numeric ? Number(values[i]) : values[i];
    });
    return { ...front, ...record };
  }

  /** The machine of a point is that of its rows. A setting that is named like another column says that it is one. */
  private nameAll(record: object): string[] {
    const names: string[] = [];
    for (const axis of this.axes) {
      const plain = axis.setting ? axis.name : (RENAMED[axis.name] ?? axis.name);
      const taken = axis.setting && (plain === 'point' || plain in record || names.includes(plain));
      const name = taken ? `set.${plain}` : plain;
      names.push(name);
      this.types.set(name, axisType(axis, this.axes));
    }
    return names;
  }
}
