/**
 * Area and energy of hardware units (SPEC section 9), written by "make synth" from src/rtl/coefficients.json, where
 * libraries, tools and commands stand. Do not edit. Each set is of one node; sets must not be mixed.
 */
import type { CoefficientSet } from './coefficient.js';

export const COEFFICIENTS: Readonly<Record<'45nm' | 'osu018_stdcells', CoefficientSet>> = {
  '45nm': {
    node: '45 nm',
    source: 'synthesis at 45 nm typical by this project, logic only',
    sacBufferShare: { int8: 0.3333333333333333, int16: 0.3333333333333333 },
    units: [
      {
        unit: 'macUnit', precision: 'int8', units: 1, lanes: 1,
        um2: 1232,
        pJ: { cycle: 3 },
      },
      {
        unit: 'macUnit', precision: 'int8', units: 1, lanes: 16,
        um2: 10796,
        pJ: {},
      },
      {
        unit: 'sacUnit', precision: 'int8', units: 1, lanes: 1,
        um2: 5160,
        pJ: { word: 9.5 },
      },
      {
        unit: 'sacUnit', precision: 'int8', units: 1, lanes: 16,
        um2: 35722,
        pJ: {},
      },
      {
        unit: 'rowPe', precision: 'int8', units: 1, lanes: 3,
        um2: 2647,
        pJ: {},
      },
      {
        unit: 'kneader', precision: 'int8', units: 1, lanes: 1,
        um2: 1609,
        pJ: {},
      },
      {
        unit: 'macUnit', precision: 'int16', units: 1, lanes: 1,
        um2: 3276,
        pJ: { cycle: 5 },
      },
      {
        unit: 'macUnit', precision: 'int16', units: 1, lanes: 16,
        um2: 38305,
        pJ: {},
      },
      {
        unit: 'sacUnit', precision: 'int16', units: 1, lanes: 1,
        um2: 17466,
        pJ: { word: 29.4 },
      },
      {
        unit: 'sacUnit', precision: 'int16', units: 1, lanes: 16,
        um2: 141239,
        pJ: {},
      },
      {
        unit: 'rowPe', precision: 'int16', units: 1, lanes: 3,
        um2: 7994,
        pJ: {},
      },
      {
        unit: 'kneader', precision: 'int16', units: 1, lanes: 1,
        um2: 3307,
        pJ: {},
      },
    ],
  },
  'osu018_stdcells': {
    node: '180 nm',
    source: 'make synth: yosys, OpenSTA and Icarus, logic only',
    sacBufferShare: { int8: 0.7254, int16: 0.3728 },
    units: [
      {
        unit: 'macUnit', precision: 'int8', units: 1, lanes: 1,
        um2: 33146, ns: 3.962,
        um2Parts: { mac_lane: 17231, top: 15915 },
        pJ: { cycle: 39.59 },
        pJParts: { cycle: { mac_lane: 22.41, top: 17.18 } },
      },
      {
        unit: 'kneader', precision: 'int8', units: 1, lanes: 1,
        um2: 46600, ns: 3.522,
        pJ: { word: 37.65 },
      },
      {
        unit: 'sacUnit', precision: 'int8', units: 1, lanes: 1,
        um2: 166530, ns: 4.537,
        um2Parts: { rear_tree: 57133, segment_adder: 65926, splitter: 42643, top: 828 },
        pJ: { word: 118.1 },
      },
      {
        unit: 'sacPe', precision: 'int8', units: 1, lanes: 1,
        um2: 253801, ns: 5.608,
        um2Parts: { activation_window: 41393, sac_unit: 166298, throttle_buffer: 36230, top: 80, window_reader: 9800 },
        pJ: { word: 207.7 },
        pJParts: { word: { activation_window: 36.84, sac_unit: 118.1, throttle_buffer: 50.09, top: 0.04926, window_reader: 2.628 } },
      },
      {
        unit: 'rowPe', precision: 'int8', units: 1, lanes: 3,
        um2: 143322, ns: 8.79,
        um2Parts: { gradient_window: 34585, row_accumulators: 56019, top: 52718 },
        pJ: { src: 170.9, msrc: 169.3, osrc: 159.6 },
        pJParts: { src: { gradient_window: 18.9, row_accumulators: 98.84, top: 53.19 }, msrc: { gradient_window: 18.9, row_accumulators: 97.24, top: 53.2 }, osrc: { gradient_window: 42.6, row_accumulators: 61.6, top: 55.36 } },
      },
      {
        unit: 'macUnit', precision: 'int8', units: 1, lanes: 16,
        um2: 304323, ns: 4.779,
        um2Parts: { mac_lane: 245024, top: 59299 },
        pJ: { cycle: 411.7 },
        pJParts: { cycle: { mac_lane: 335.7, top: 76.02 } },
      },
      {
        unit: 'sacUnit', precision: 'int8', units: 1, lanes: 16,
        um2: 1076123, ns: 6.384,
        um2Parts: { rear_tree: 57133, segment_adder: 329028, splitter: 678912, top: 11050 },
        pJ: { word: 51.06 },
      },
      {
        unit: 'ppu', precision: 'int8', units: 1, lanes: 1,
        um2: 1164727, ns: 8.743,
        um2Parts: { lfsr: 7597, row_buffers: 993340, top: 163790 },
        pJ: { value: 1342 },
        pJParts: { value: { lfsr: 12.06, row_buffers: 1249, top: 80.71 } },
      },
      {
        unit: 'macPe', precision: 'int8', units: 16, lanes: 16,
        um2: 4856339,
        um2Parts: { mac_lane: 3920384, top: 935955 },
        pJ: {},
      },
      {
        unit: 'sacPe', precision: 'int8', units: 16, lanes: 16,
        um2: 29708032,
        um2Parts: { activation_window: 676832, sac_unit: 17215904, throttle_buffer: 9274880, top: 31616, window_reader: 2508800 },
        pJ: {},
      },
      {
        unit: 'sacPe', precision: 'int8', units: 1, lanes: 16,
        um2: 2476942, ns: 7.956,
        um2Parts: { activation_window: 662288, sac_unit: 1076246, throttle_buffer: 579680, top: 1928, window_reader: 156800 },
        pJ: { word: 150.6 },
        pJParts: { word: { activation_window: 42.13, sac_unit: 51.06, throttle_buffer: 54.53, top: 0.05418, window_reader: 2.855 } },
      },
      {
        unit: 'macUnit', precision: 'int16', units: 1, lanes: 1,
        um2: 93847, ns: 5.818,
        um2Parts: { mac_lane: 68119, top: 25728 },
        pJ: { cycle: 124.5 },
        pJParts: { cycle: { mac_lane: 92.22, top: 32.29 } },
      },
      {
        unit: 'kneader', precision: 'int16', units: 1, lanes: 1,
        um2: 98253, ns: 3.518,
        pJ: { word: 69.92 },
      },
      {
        unit: 'sacUnit', precision: 'int16', units: 1, lanes: 1,
        um2: 545077, ns: 6.03,
        um2Parts: { rear_tree: 178697, segment_adder: 199500, splitter: 165772, top: 1108 },
        pJ: { word: 376.4 },
      },
      {
        unit: 'sacPe', precision: 'int16', units: 1, lanes: 1,
        um2: 717681, ns: 6.62,
        um2Parts: { activation_window: 81393, sac_unit: 544386, throttle_buffer: 73286, top: 80, window_reader: 18536 },
        pJ: { word: 555.1 },
        pJParts: { word: { activation_window: 72.07, sac_unit: 376.4, throttle_buffer: 101.9, top: 0.04635, window_reader: 4.632 } },
      },
      {
        unit: 'rowPe', precision: 'int16', units: 1, lanes: 3,
        um2: 309628, ns: 11.4,
        um2Parts: { gradient_window: 41555, row_accumulators: 78196, top: 189877 },
        pJ: { src: 381.6, msrc: 381.6, osrc: 339.2 },
        pJParts: { src: { gradient_window: 22.55, row_accumulators: 147.3, top: 211.8 }, msrc: { gradient_window: 22.52, row_accumulators: 147.2, top: 211.8 }, osrc: { gradient_window: 51.58, row_accumulators: 92.65, top: 195 } },
      },
      {
        unit: 'macUnit', precision: 'int16', units: 1, lanes: 16,
        um2: 1115164, ns: 6.212,
        um2Parts: { mac_lane: 1001840, top: 113324 },
        pJ: { cycle: 1527 },
        pJParts: { cycle: { mac_lane: 1375, top: 151.9 } },
      },
      {
        unit: 'sacUnit', precision: 'int16', units: 1, lanes: 16,
        um2: 4165343, ns: 7.645,
        um2Parts: { rear_tree: 178087, segment_adder: 1319730, splitter: 2652352, top: 15174 },
        pJ: { word: 184 },
      },
      {
        unit: 'ppu', precision: 'int16', units: 1, lanes: 1,
        um2: 1716037, ns: 10.46,
        um2Parts: { lfsr: 7597, row_buffers: 1511211, top: 197229 },
        pJ: { value: 2079 },
        pJParts: { value: { lfsr: 12, row_buffers: 1966, top: 101.3 } },
      },
      {
        unit: 'macPe', precision: 'int16', units: 16, lanes: 16,
        um2: 17806170,
        um2Parts: { mac_lane: 16009728, top: 1796442 },
        pJ: {},
      },
      {
        unit: 'sacPe', precision: 'int16', units: 16, lanes: 16,
        um2: 91492640,
        um2Parts: { activation_window: 1316832, sac_unit: 66637760, throttle_buffer: 18761216, top: 31616, window_reader: 4745216 },
        pJ: {},
      },
      {
        unit: 'sacPe', precision: 'int16', units: 1, lanes: 16,
        um2: 6941592, ns: 9.524,
        um2Parts: { activation_window: 1302288, sac_unit: 4168224, throttle_buffer: 1172576, top: 1928, window_reader: 296576 },
        pJ: { word: 380.6 },
        pJParts: { word: { activation_window: 81.91, sac_unit: 184, throttle_buffer: 109.7, top: 0.04974, window_reader: 4.844 } },
      },
    ],
  },
};
