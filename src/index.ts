/**
 * kneadsim as a library: open a trace, run machines on it, get the report; or take the parts (kneading, the
 * clocked PEs, the dense reference) one by one.
 */
export { KneadsimError, UserError, VerificationError } from './errors.js';
export type { Affine, ConvShape, DType, NumericArray, Tensor } from './tensor.js';
export { macCount, outputShape, outputSize } from './tensor.js';
export { openTrace } from './trace/open.js';
export type { Role, TensorInfo, Trace, TraceLayer } from './trace/trace.js';
export { importTrace, type ImportOptions } from './trace/import/import.js';
export {
  bitStatistics,
  quantize,
  type BitStatistics,
  type Codes,
  type Precision,
  type QuantizeOptions,
  type ScaleGrain,
  type ScaleRule,
} from './quantize.js';
export { bitPlanes, lengthOfPlanes } from './bit/planes.js';
export { GroupMatrix, kneadedLengths } from './bit/lengths.js';
export { KneadedWords, kneadedRows, kneadedWordBits, FLUSH, PASS, type SlotView } from './bit/knead.js';
export { SacPe, type SacCounters } from './sim/sacPe.js';
export type { WindowSource } from './sim/activationWindows.js';
export { sacRegisters, type SacPeConfig } from './sim/sacRegisters.js';
export { MacPe } from './sim/macPe.js';
export { PalletTile } from './sim/palletTile.js';
export { RotatingTile } from './sim/rotatingTile.js';
export type { SerialSource, SerialTile, SerialTileConfig } from './sim/serialColumns.js';
export { OnlineKneaders } from './sim/onlineKneader.js';
export { RowPe } from './sim/rowPe.js';
export type { RowOperation, RowPeConfig } from './sim/rowPeConfig.js';
export { Ppu, type PpuOptions } from './sim/ppu.js';
export { compressRows, expandRows, type CompressedRows } from './sparse/rows.js';
export { inverseNormalCdf } from './sparse/inverseNormal.js';
export { exactThreshold, prunedDensity, ThresholdFifo } from './sparse/threshold.js';
export { hashDraws, lfsrDraws, type Draws } from './sparse/draws.js';
export { Lfsr } from './sparse/lfsr.js';
export { prune, type PruneResult, type PruneStatistics } from './sparse/prune.js';
export { referenceForward, referenceGradInput, referenceGradWeight } from './reference.js';
export { MACHINES, machineKind } from './arch/registry.js';
export {
  resolveConfig,
  type Counters,
  type LayerWork,
  type Level,
  type Machine,
  type MachineConfig,
  type MachineKind,
  type Parameter,
  type Phase,
  type StepResult,
} from './arch/machine.js';
export {
  memoryOf,
  MEMORY_PARAMETERS,
  MEMORY_PRESETS,
  type Memory,
  type MemoryConfig,
} from './memory/config.js';
export type { Traffic } from './memory/traffic.js';
export type { EnergyRow, MemoryReport, StoredReport } from './report/system.js';
export type { Probe } from './sim/probe.js';
export { Recorder } from './wave/recorder.js';
export { RESERVED, waveText, type WaveFile } from './wave/wave.js';
export { simulate, type SimulateOptions } from './simulate.js';
export { openSteps, type TraceSteps } from './trace/openSteps.js';
export { ablation, type AblationOptions } from './train/ablation.js';
export { shapeSearch, type ShapeSearchOptions } from './train/shapeSearch.js';
export type { AblationReport, AblationRow } from './report/ablationReport.js';
export type { ShapeReport, ShapeRow } from './report/shapeReport.js';
export type { LayerReport, MachineReport, PruningReport, RecordedReport, Report } from './report/report.js';
export { fuzz, type FuzzOptions, type FuzzResult } from './fuzz.js';
export { VERSION } from './version.js';
