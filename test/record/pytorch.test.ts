/**
 * The hook script for PyTorch (test/fixtures/pytorch/record.py): what it wrote of a real training step, under PyTorch
 * 1.13.1 (Debian's, which calls itself 1.13.0a0), is a canonical trace whose gradients follow from its operands, and which machines replay in all phases.
 */
import { describe, expect, it } from 'vitest';
import { PHASES } from '../../src/arch/machine.js';
import { simulate } from '../../src/simulate.js';
import { openTrace } from '../../src/trace/open.js';
import { checkRelations } from './relations.js';

const FILE = 'test/fixtures/pytorch/small-net-s00001.safetensors';

describe('a training step recorded from PyTorch', () => {
  it('tells the geometry of every layer', () => {
    const trace = openTrace(FILE);
    const facts = trace.layers.map(({ name, shape: s, postRelu }) => {
      const pads = [s.padTop, s.padBottom, s.padLeft, s.padRight].join(':');
      const steps = [s.strideY, s.strideX, s.dilationY, s.dilationX, s.groups].join();
      return `${name} ${s.op} ${s.rank}-D ${pads} ${steps} ${postRelu}`;
    });
    expect(facts).toEqual([
      'conv1 conv 2-D 1:1:1:1 1,1,1,1,1 false',
      'conv2 conv 2-D 1:1:1:1 1,1,1,1,1 true',
      'conv3 conv 2-D 1:1:0:0 2,2,1,1,2 true',
      'time conv 1-D 0:0:2:2 1,1,1,2,1 true',
      'fc linear 2-D 0:0:0:0 1,1,1,1,1 true',
    ]);
    expect(trace.layers.map(({ tensors }) => tensors.bias !== undefined)).toEqual([
      false,
      true,
      true,
      true,
      true,
    ]);
    trace.close();
  });

  it('holds gradients that follow from its operands: of the layer alone, of the kept examples', () => {
    const trace = openTrace(FILE);
    expect(trace.layers.map(({ shape }) => shape.batch)).toEqual([2, 2, 2, 2, 2]);
    checkRelations(trace);
    trace.close();
  });

  it('replays in all phases, every value verified', () => {
    const trace = openTrace(FILE);
    const report = simulate(trace, {
      machines: ['dadiannao', 'tetris'],
      phases: [...PHASES],
      level: 'step',
      prune: 0.9,
    });
    trace.close();
    expect(report.verified).toBe(true);
  });
});
