import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { crc32c } from '../../../store/crc32c.ts';
import { ObjectNotFound } from '../../../store/object-store.ts';
import { copyObject } from '../copy-object.ts';
import { KILLED_BYTES, patterned } from '../patterned.ts';
import { type FreshStore, names, SLOW_MS, text } from './helpers.ts';

/** What is written is what is read, whole or not at all. */
export function describeBytes(fresh: FreshStore): void {
  test('returns the bytes that were created, with their length and checksum', async () => {
    const store = await fresh();
    const { created, stat } = await store.create('objects/a.png', text('123456789'), 'image/png');
    expect(created).toBe(true);
    expect(stat).toEqual({ name: 'objects/a.png', bytes: 9, crc32c: '4waSgw==' });
    expect(await store.stat('objects/a.png')).toEqual(stat);
    expect(Buffer.from(await store.read('objects/a.png')).toString()).toBe('123456789');
  });

  test('leaves the first object in place when a second one is created, and reports the first', async () => {
    const store = await fresh();
    const first = await store.create('objects/a.png', text('first'), 'image/png');
    const second = await store.create('objects/a.png', text('second, longer'), 'image/png');
    expect(second).toEqual({ created: false, stat: first.stat });
    expect(Buffer.from(await store.read('objects/a.png')).toString()).toBe('first');
  });

  test('lets exactly one of twenty concurrent writers create an object, and returns it to all of them', async () => {
    const store = await fresh();
    const writers = Array.from({ length: 20 }, (_, writer) => text(`writer ${writer} `.repeat(5000)));
    const results = await Promise.all(writers.map((data) => store.create('objects/race.png', data, 'image/png')));
    const winner = results.findIndex((result) => result.created);
    expect(results.filter((result) => result.created)).toHaveLength(1);
    expect(await store.read('objects/race.png')).toEqual(Buffer.from(writers[winner]!));
    for (const { stat } of results) expect(stat.crc32c).toBe(crc32c(writers[winner]!));
  });

  test('replaces an object, and creates it if there is none', async () => {
    const store = await fresh();
    await store.replace('batches/b/manifest.json', text('{"a":1}'), 'application/json');
    const stat = await store.replace('batches/b/manifest.json', text('{}'), 'application/json');
    expect(stat).toEqual({ name: 'batches/b/manifest.json', bytes: 2, crc32c: crc32c(text('{}')) });
    expect(Buffer.from(await store.read('batches/b/manifest.json')).toString()).toBe('{}');
  });

  test('reads only the requested part of a long object, and a short one whole', async () => {
    const store = await fresh();
    await store.create('captions/a', text('123456789'), 'text/plain');
    expect(Buffer.from(await store.read('captions/a', 9)).toString()).toBe('123456789');
    expect(Buffer.from(await store.read('captions/a', 100)).toString()).toBe('123456789');
    expect(Buffer.from(await store.read('captions/a', 4)).toString()).toBe('12345');
    await expect(store.read('captions/b', 4)).rejects.toThrow(ObjectNotFound);
  });

  test('accepts an empty object', async () => {
    const store = await fresh();
    await store.create('objects/empty', new Uint8Array(), 'text/plain');
    expect(await store.stat('objects/empty')).toEqual({ name: 'objects/empty', bytes: 0, crc32c: 'AAAAAA==' });
    expect(await store.read('objects/empty')).toHaveLength(0);
  });

  test('accepts an object of 30 MB', { timeout: SLOW_MS }, async () => {
    const store = await fresh();
    const data = patterned(30 * 1024 * 1024);
    const { stat } = await store.create('objects/4k.png', data, 'image/png');
    await copyObject(store, 'objects/4k.png', 'batches/b/4k.png');
    expect(await store.stat('batches/b/4k.png')).toEqual({ ...stat, name: 'batches/b/4k.png' });
    expect(crc32c(await store.read('batches/b/4k.png'))).toBe(crc32c(data));
  });

  test('shows whole objects or none when writers are killed in the middle', { timeout: SLOW_MS }, async () => {
    const store = await fresh();
    for (const delayMs of [0, 10, 60]) await killWriterAfter(store.url, delayMs);
    const whole = { bytes: KILLED_BYTES, crc32c: crc32c(patterned(KILLED_BYTES)) };
    const left = await names(store, '');
    for (const name of left) expect(await store.stat(name)).toEqual({ name, ...whole });
    expect((await store.create('objects/killed-0', patterned(KILLED_BYTES), 'image/png')).stat).toMatchObject(whole);
  });
}

async function killWriterAfter(url: string, delayMs: number): Promise<void> {
  const writer = fork(fileURLToPath(new URL('../killed-writer.ts', import.meta.url)), [url], {
    execArgv: ['--import', 'tsx'],
  });
  await once(writer, 'message');
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  writer.kill('SIGKILL');
  await once(writer, 'exit');
}
