/** Memory systems by preset and setting: every parameter read, every wrong value refused in one line. */
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/errors.js';
import { MEMORY_PARAMETERS, MEMORY_PRESETS, memoryOf, plainConfig } from '../../src/memory/config.js';
import { separateSettings } from '../../src/simulate/memorySettings.js';

const refusal = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  }
  throw new Error('nothing was refused');
};

test('every preset has every parameter, and says where it is from', () => {
  for (const { name, source, config } of MEMORY_PRESETS) {
    expect(Object.keys(config).sort()).toEqual(MEMORY_PARAMETERS.map((p) => p.name).sort());
    expect(name === 'infinite' || name.endsWith('-like')).toBe(true);
    expect(source.length).toBeGreaterThan(5);
  }
});

test('presets are values that settings could have given', () => {
  for (const { name, config } of MEMORY_PRESETS) {
    const texts = Object.fromEntries(
      Object.entries(plainConfig(config)).map(([key, value]) => [key, String(value)]),
    );
    expect(memoryOf('infinite', texts).config).toEqual(config);
    expect(memoryOf(name).config).toEqual(config);
  }
});

test('settings override the preset, one by one', () => {
  const { preset, config } = memoryOf('edge-like', {
    dramBytesPerCycle: '7',
    localBytes: 'infinite',
    onChip: 'all',
  });
  expect(preset).toBe('edge-like');
  expect(config).toEqual({
    ...memoryOf('edge-like').config,
    dramBytesPerCycle: 7,
    localBytes: Infinity,
    onChip: 'all',
  });
});

describe('refused in one line', () => {
  test.each([
    ['dramBytesPerCycle', '0'],
    ['dramBytesPerCycle', '-1'],
    ['dramBytesPerCycle', '1.5'],
    ['dramBytesPerCycle', '1e3'],
    ['dramBytesPerCycle', ''],
    ['dramBytesPerCycle', 'NaN'],
    ['dramBytesPerCycle', '99999999999999999999'],
    ['globalBytes', '63'],
    ['dramLatencyCycles', 'infinite'],
    ['gradWeightBits', '0'],
    ['onChip', 'maybe'],
  ])('%s=%s', (name, text) => {
    const message = refusal(() => memoryOf('infinite', { [name]: text }));
    expect(message).toContain(`memory.${name}: found "${text}", expected `);
    expect(message).not.toContain('\n');
  });

  test('unknown presets and parameters, with those that there are', () => {
    expect(refusal(() => memoryOf('huge'))).toMatch(/found "huge", expected dadiannao-like, /);
    expect(refusal(() => memoryOf('infinite', { size: '1' }))).toMatch(
      /no parameter size; it has dramBytesPerCycle, /,
    );
    expect(refusal(() => separateSettings(['memory.globalBytes']))).toContain(
      'expected memory.parameter=value',
    );
  });
});

test('memory settings are told from those of machines; the last of several holds', () => {
  const { settings, memory } = separateSettings(
    ['tiles=4', 'memory.globalBytes=128', 'tetris.sync=skew', 'memory.globalBytes=256'],
    'edge-like',
  );
  expect(settings).toEqual(['tiles=4', 'tetris.sync=skew']);
  expect(memory).toEqual(memoryOf('edge-like', { globalBytes: '256' }));
});
