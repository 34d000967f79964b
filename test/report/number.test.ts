/** Numbers as people read them. */
import { test as law, fc } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { factor, fit, percent, printable, ratio, short, whole, yesNo } from '../../src/report/number.js';

test.each([
  [0, '0'],
  [999, '999'],
  [1000, '1.00k'],
  [112_896, '113k'],
  [999_499, '999k'],
  [999_700, '1.00M'],
  [28_901_376, '28.9M'],
  [1.5e15, '1.50P'],
])('short(%d) is %s', (n, text) => expect(short(n)).toBe(text));

law.prop([fc.integer({ min: 1, max: 2 ** 49 })])('short is within half a percent', (n) => {
  const [, digits, suffix] = /^([\d.]+)([kMGT]?)$/.exec(short(n))!;
  const value = Number(digits) * 1000 ** ' kMGT'.indexOf(suffix || ' ');
  expect(Math.abs(value - n) / n).toBeLessThanOrEqual(0.005);
  expect(digits.length).toBeLessThanOrEqual(4);
});

test('what is not known is a dash, and zero is not', () => {
  expect([factor(null), ratio(null), percent(null), yesNo(null)]).toEqual(['-', '-', '-', '-']);
  expect([factor(0), ratio(0), percent(0), yesNo(false), yesNo(true)]).toEqual([
    '0.00',
    '0.000',
    '0.0',
    'NO',
    'yes',
  ]);
  expect(whole(1_234_567)).toBe('1,234,567');
});

test('names from files bring no control characters to the terminal', () => {
  expect(printable('a\u001b[31mb\nc\u202ed')).toBe('a?[31mb?c?d');
});

law.prop([fc.string({ unit: 'binary' }), fc.integer({ min: 3, max: 20 })])(
  'fit stays within its width, and keeps both ends',
  (text, width) => {
    const clean = printable(text);
    const fitted = fit(text, width);
    if (clean.length <= width) expect(fitted).toBe(clean);
    else {
      expect(fitted.length).toBe(width);
      expect([clean.startsWith(fitted[0]), clean.endsWith(fitted.slice(-1))]).toEqual([true, true]);
    }
  },
);
