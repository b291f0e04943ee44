import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { UserError } from '../../../domain/user-error.ts';
import { openBundle } from '../../../models/pixart/index.ts';
import { loadError, openGraph } from '../../../models/pixart/session.ts';
import { TINY_BUNDLE } from '../renderer/tiny-renderer.ts';

test('a graph that is missing or is none is for a person to fix, and the message names the file', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-graph-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const bundle = { ...(await openBundle(TINY_BUNDLE)), folder };
  const opened = (): Promise<unknown> => openGraph(bundle, 'transformer.onnx', { device: 'cpu' });
  for (const prepare of [async () => {}, () => writeFile(path.join(folder, 'transformer.onnx'), 'no graph')]) {
    await prepare();
    await expect(opened()).rejects.toBeInstanceOf(UserError);
    await expect(opened()).rejects.toThrow(/transformer\.onnx cannot be loaded on cpu: Load model/);
  }
});

test.for([
  'onnxruntime::BFCArena::AllocateRawInternal(size_t, bool) Failed to allocate memory for requested buffer of size 8388608000',
  'CUDA failure 2: out of memory ; GPU=0',
  'CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0',
  'std::bad_alloc',
])('memory that cannot be had may be there for the next attempt: %s', (said) => {
  const error = loadError('transformer.onnx', 'cuda:0', said);
  expect(error).not.toBeInstanceOf(UserError);
  expect(error.message).toContain(said);
});

test('a missing CUDA library is for a person to fix, with the way to install it', () => {
  const error = loadError('transformer.onnx', 'cuda:0', 'Failed to load shared library');
  expect(error).toBeInstanceOf(UserError);
  expect(error.message).toContain('docs/guide.md, "GPUs"');
});

test('a run begins once what has to leave the process first has left it', async () => {
  const order: string[] = [];
  const bundle = await openBundle(TINY_BUNDLE);
  const beforeRun = async (): Promise<void> => {
    for (let turns = 0; turns < 5; turns += 1) await turn();
    order.push('left');
  };
  const projection = await openGraph(bundle, 'caption_projection.onnx', { device: 'cpu', threads: 1, beforeRun });
  onTestFinished(() => projection.release());
  // It lacks its inputs, so that it fails as soon as it begins.
  await projection.run({}).catch(() => order.push('begun'));
  expect(order).toEqual(['left', 'begun']);
});
