/**
 * Tables as Parquet (parquet.apache.org/docs/file-format), with the same bytes for the same table. Types do not depend on
 * what happens to be in a column, so that the files of several sweeps fit together: measured numbers are doubles, which
 * hold counts up to 2^53 exactly, even where all are whole or all are null.
 */
import { parquetWriteBuffer } from 'hyparquet-writer';
import { VERSION } from '../version.js';

export type ColumnType = 'integer' | 'real' | 'text' | 'truth';

export interface Column {
  name: string;
  type: ColumnType;
  values: unknown[];
}

const TYPES = { integer: 'INT64', real: 'DOUBLE', text: 'STRING', truth: 'BOOLEAN' } as const;

/** Columns that may be null throughout, and are no numbers. */
const TRUTHS = ['verified', 'memory.keepsSwept'];
const TEXTS = /^(memory\.(boundBy|keepsStationary|onChip|stored\.\w+\.form)|energy\.node)$/;

/** The type of a measured column. */
export function measuredType(name: string, values: readonly unknown[]): ColumnType {
  const found = values.find((value) => value !== null);
  if (TRUTHS.includes(name) || typeof found === 'boolean') return 'truth';
  if (TEXTS.test(name)) return 'text';
  return typeof found === 'string' ? 'text' : 'real';
}

/** @param facts go into the file's metadata */
export function parquetBytes(
  columns: readonly Column[],
  facts: Readonly<Record<string, string>>,
): Uint8Array {
  const buffer = parquetWriteBuffer({
    columnData: columns.map(({ name, type, values }) => ({
      name,
      type: TYPES[type],
      nullable: true,
      data:
        type === 'integer'
          ? values.map((value) => (value === null ? null : BigInt(value as number)))
          : [...values],
    })),
    createdBy: `kneadsim version ${VERSION}`,
    kvMetadata: Object.entries(facts).map(([key, value]) => ({ key, value })),
  });
  return new Uint8Array(buffer);
}
