import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, lstat, mkdir, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../domain/user-error.ts';
import { createSame, ObjectKept, StoreUnavailable } from '../../store/object-store.ts';
import { openStore, storeUrl } from '../../store/open-store.ts';
import { writeOrBeside } from '../../store/write-beside.ts';
import { describeObjectStore } from './contract/object-store.ts';
import { copyObject } from './copy-object.ts';
import { useFolder } from './use-folder.ts';

const { fresh, freshRoot } = useFolder();
const data = Buffer.from('picture');

describeObjectStore('a folder', () => openStore(storeUrl(freshRoot())));

describe('a folder as a store', () => {
  test('writes nothing when it is opened', async () => {
    const { root } = await fresh();
    await expect(stat(root)).rejects.toThrow(/ENOENT/);
  });

  test('may be a symbolic link itself', async () => {
    const [target, root] = [freshRoot(), freshRoot()];
    await mkdir(target);
    await symlink(target, root);
    const store = await openStore(storeUrl(root));
    await store.create('objects/a.png', data, 'image/png');
    expect(await readdir(join(target, 'objects'))).toEqual(['a.png']);
  });

  test('keeps objects read-only, so that an editor cannot change the picture that other batches share', async () => {
    const { root, store } = await fresh();
    await store.create('objects/a.png', data, 'image/png');
    await copyObject(store, 'objects/a.png', 'batches/b/a.png');
    const copy = await stat(join(root, 'batches/b/a.png'));
    expect(copy.mode & 0o222).toBe(0);
    expect(copy.ino).toBe((await stat(join(root, 'objects/a.png'))).ino);
  });

  test('accepts writes although a leftover cannot be removed from it', async () => {
    const { root, store } = await fresh();
    const stubborn = join(root, '.tmp', 'a folder');
    await mkdir(stubborn, { recursive: true });
    await utimes(stubborn, new Date(0), new Date(0));
    expect(await store.create('a', data, 'image/png')).toMatchObject({ created: true });
  });

  test('leaves no temporary file behind, and removes those of killed writers, but nothing that others put there', async () => {
    const { root, store } = await fresh();
    await mkdir(join(root, '.tmp'), { recursive: true });
    const [old, young, claim, foreign] = [randomUUID(), randomUUID(), `${'ab'.repeat(32)}.claim`, '.DS_Store'];
    for (const file of [old, young, claim, foreign]) await writeFile(join(root, '.tmp', file), 'half');
    const twoDaysAgo = new Date(Date.now() - 48 * 3600_000);
    for (const file of [old, claim, foreign]) await utimes(join(root, '.tmp', file), twoDaysAgo, twoDaysAgo);
    await store.create('a', data, 'image/png');
    await store.create('a', data, 'image/png');
    await copyObject(store, 'a', 'b');
    expect((await readdir(join(root, '.tmp'))).sort()).toEqual([foreign, young].sort());
  });

  test('removes scratch that is a week old, but nothing that others put there, and not through a symbolic link', async () => {
    const { root, store } = await fresh();
    const elsewhere = await fresh();
    const [old, young] = ['a', 'b'].map((digit) => `${digit.repeat(64)}.latents`) as [string, string];
    const eightDaysAgo = new Date(Date.now() - 8 * 24 * 3600_000);
    for (const folder of [join(root, 'scratch'), elsewhere.root]) {
      await mkdir(folder, { recursive: true });
      for (const file of [old, young, 'notes.txt']) await writeFile(join(folder, file), 'state');
      for (const file of [old, 'notes.txt']) await utimes(join(folder, file), eightDaysAgo, eightDaysAgo);
    }
    await store.create('a', data, 'image/png');
    expect(await readdir(join(root, 'scratch'))).toEqual([young, 'notes.txt']);

    const linked = await fresh();
    await mkdir(linked.root, { recursive: true });
    await symlink(elsewhere.root, join(linked.root, 'scratch'));
    await linked.store.create('a', data, 'image/png');
    expect(await readdir(elsewhere.root)).toEqual([old, young, 'notes.txt']);
  });

  test('recreates a folder that somebody removed in the meantime', async () => {
    const { root, store } = await fresh();
    await store.create('objects/a.png', data, 'image/png');
    await rm(root, { recursive: true });
    await expect(store.create('objects/a.png', data, 'image/png')).rejects.toThrow(StoreUnavailable);
    expect(await store.create('objects/a.png', data, 'image/png')).toMatchObject({ created: true });
  });

  test('finds a directory entry that is not a file as an object without bytes, and keeps it aside like any other', async () => {
    const { root, store } = await fresh();
    await mkdir(join(root, 'objects/folder.png/inner'), { recursive: true });
    await symlink('/etc/hostname', join(root, 'objects/link.png'));
    for (const name of ['folder', 'link']) {
      const found = (await store.find(`objects/${name}.png`))!;
      expect(found.bytes).toBe(0);
      await found.supersede(`damaged/${name}.png`, { data, contentType: 'image/png' });
      expect(Buffer.from(await store.read(`objects/${name}.png`))).toEqual(data);
    }
    expect(await readdir(join(root, 'damaged/folder.png'))).toEqual(['inner']);
    expect((await lstat(join(root, 'damaged/link.png'))).isSymbolicLink()).toBe(true);
  });

  test('does not give an object the metadata of a removed one of the same name', async () => {
    const { store } = await fresh();
    await store.create('objects/a.png', data, 'image/png', { key: 'first' });
    await store.remove('objects/a.png');
    const { stat: second } = await store.create('objects/a.png', data, 'image/png', { other: 'second' });
    expect(await second.metadata()).toEqual({ other: 'second' });
  });

  test('does not copy a file that was changed in place since it was found', async () => {
    const { root, store } = await fresh();
    await store.create('objects/a.png', data, 'image/png');
    const found = (await store.find('objects/a.png'))!;
    await chmod(join(root, 'objects/a.png'), 0o644);
    await writeFile(join(root, 'objects/a.png'), 'PICTURE');
    await expect(found.copy('batches/b/a.png')).rejects.toThrow(/changed by somebody else/);
    await expect(stat(join(root, 'batches/b/a.png'))).rejects.toThrow(/ENOENT/);
  });

  test.each(['', 'null', '[1]', '{"key":1}', '{"key":"half'])('treats metadata that reads %j as none', async (text) => {
    const { root, store } = await fresh();
    const { stat: made } = await store.create('objects/a.png', data, 'image/png', { key: 'whole' });
    await writeFile(join(root, 'metadata/objects/a.png.json'), text);
    expect(await made.metadata()).toEqual({});
  });

  test('does not follow a symbolic link out of the store', async () => {
    const { root, store } = await fresh();
    const outside = freshRoot();
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 'secret');
    await store.create('batches/b/a', data, 'image/png');
    await symlink(outside, join(root, 'batches/link'));
    await symlink(join(outside, 'secret'), join(root, 'batches/b/secret'));
    for (const name of ['batches/link/new', 'batches/link/deep/new']) {
      await expect(store.create(name, data, 'image/png')).rejects.toThrow(/symbolic link/);
      await expect(copyObject(store, 'batches/b/a', name)).rejects.toThrow(/symbolic link/);
    }
    await expect(store.read('batches/link/secret')).rejects.toThrow(UserError);
    expect(await store.stat('batches/b/secret')).toBeNull();
    const names: string[] = [];
    for await (const { name } of store.list('')) names.push(name);
    expect(names).toEqual(['batches/b/a']);
    expect(await readdir(outside)).toEqual(['secret']);
  });

  test('does not block on a pipe or socket with the name of an object, and puts a file in its place', async () => {
    const { root, store } = await fresh();
    await store.create('objects/a.png', data, 'image/png', { key: 'whole' });
    execFileSync('mkfifo', [join(root, 'objects/pipe.png')]);
    const server = createServer().listen(join(root, 'objects/s.png'));
    await once(server, 'listening');
    for (const name of ['objects/pipe.png', 'objects/s.png']) {
      expect(await store.stat(name)).toBeNull();
      const found = await store.find(name);
      expect(found).toMatchObject({ name, bytes: 0 });
      const there = await found?.supersede(`damaged/${name}`, { data, contentType: 'image/png' });
      expect(there).toMatchObject({ bytes: data.length });
    }
    server.close();
  });

  test('leaves a folder with the name of an object alone, and does not wait for anybody to remove it', async () => {
    const { root, store } = await fresh();
    const name = 'batches/b/a.json';
    await mkdir(join(root, name), { recursive: true });
    expect(await store.create(name, data, 'text/plain')).toMatchObject({ created: false, stat: { name, bytes: 0 } });
    expect(await createSame(store, name, data, 'text/plain')).toBe(false);
    const { stat: picture } = await store.create('objects/a.png', data, 'image/png');
    const stays = /a folder is in its place and is left alone/;
    for (const work of [() => store.replace(name, data, 'text/plain'), () => picture.copy(name)]) {
      await expect(work()).rejects.toThrow(ObjectKept);
      await expect(work()).rejects.toThrow(stays);
    }
    expect(await writeOrBeside(store, name, data, 'text/plain')).toBe('batches/b/a-2.json');
    expect(await readdir(join(root, name))).toEqual([]);
  });

  test('refuses a path that is a file, and a part of a name that is a file', async () => {
    const { root, store } = await fresh();
    await store.create('a', data, 'image/png');
    for (const path of [join(root, 'a'), join(root, 'a/below')]) {
      await expect(openStore(storeUrl(path))).rejects.toThrow(/expected a folder, found a file/);
    }
    await expect(store.create('a/b', data, 'image/png')).rejects.toThrow(/expected a folder at .*, found a file/);
  });
});

test('twenty writers at once create a store that is several folders deep', async () => {
  const store = await openStore(storeUrl(join(freshRoot(), 'a/b/c')));
  const writing = Array.from({ length: 20 }, (_, i) => store.create(`objects/${i}.png`, data, 'image/png'));
  for (const { created } of await Promise.all(writing)) expect(created).toBe(true);
});
