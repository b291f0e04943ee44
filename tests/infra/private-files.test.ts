import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UserError } from '../../domain/user-error.ts';
import { privateFolder } from '../../infra/dev/private-files.ts';

let parent: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'pixart-private-'));
});

afterEach(() => rmSync(parent, { recursive: true }));

const modeOf = (path: string): number => statSync(path).mode & 0o777;

function openFolder(...files: string[]): string {
  const folder = join(parent, 'state');
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  for (const file of files) writeFileSync(join(folder, file), '');
  return folder;
}

test('a state folder is created private to its owner', () => {
  const folder = join(parent, 'a', 'state');
  expect(privateFolder(folder)).toBe(false);
  expect(modeOf(folder)).toBe(0o700);
});

test('a state folder that others could read is made private', () => {
  const folder = openFolder('temporal.db', 'temporal.db-wal', 'fleet-1.json');
  expect(privateFolder(folder)).toBe(true);
  expect(modeOf(folder)).toBe(0o700);
});

test('a folder with other things in it keeps its permissions', () => {
  const folder = openFolder('temporal.db', 'index.html');
  expect(privateFolder(folder)).toBe(false);
  expect(modeOf(folder)).toBe(0o755);
});

test('the error for a file in place of a state folder names it', () => {
  const file = join(parent, 'file');
  writeFileSync(file, '');
  for (const path of [file, join(file, 'state')]) {
    expect(() => privateFolder(path)).toThrow(UserError);
    expect(() => privateFolder(path)).toThrow(`--state ${path}: expected a folder`);
  }
});
