import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fleetsFor, noteFleet, runningFleet } from '../../infra/dev/fleet-note.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-note-'));
});

afterAll(() => rm(folder, { recursive: true }));

const about = { address: '127.0.0.1:7233', namespace: 'default', allow: ['file:///srv/out'] };
const GONE = 2 ** 22 + 1;

test('a submitter finds the note of the fleet on its server, for as long as the fleet runs', async () => {
  const drop = noteFleet(folder, about);
  expect(fleetsFor(folder, about)).toEqual([{ ...about, owner: process.pid }]);
  expect(fleetsFor(folder, { ...about, address: 'localhost:7233' })).toHaveLength(1);
  expect(fleetsFor(folder, { ...about, address: '127.0.0.1:7234' })).toEqual([]);
  expect(fleetsFor(folder, { ...about, namespace: 'team' })).toEqual([]);
  expect((await stat(path.join(folder, `fleet-${process.pid}.json`))).mode & 0o077).toBe(0);
  expect(runningFleet(folder)).toMatchObject(about);
  drop();
  expect(fleetsFor(folder, about)).toEqual([]);
  expect(runningFleet(folder)).toBeUndefined();
});

test('the note of a fleet that was killed is ignored, and the next fleet removes it', async () => {
  await writeFile(path.join(folder, `fleet-${GONE}.json`), JSON.stringify({ ...about, owner: GONE }));
  await writeFile(path.join(folder, 'fleet-1.json'), 'half wri');
  expect(fleetsFor(folder, about)).toEqual([]);
  expect(fleetsFor(path.join(folder, 'nowhere'), about)).toEqual([]);
  noteFleet(folder, about)();
  expect(await readdir(folder)).toEqual(['fleet-1.json']);
});
