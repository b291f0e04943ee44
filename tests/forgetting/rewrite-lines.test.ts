import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isForgotten, rewriteChanges, rewriteJsonLines } from '../../forgetting/rewrite-lines.ts';
import { safeCsv, toJsonLines } from '../../records/formats.ts';
import { FileStore } from '../../store/file-store.ts';

let folder: string;
let store: FileStore;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-rewrite-'));
  store = new FileStore(pathToFileURL(folder).href);
});

afterAll(() => rm(folder, { recursive: true }));

const HEADER = ['change', 'id', 'what', 'before', 'now'];
const table = (lines: string[][]): Uint8Array => Buffer.concat([safeCsv([HEADER], { bom: true }), safeCsv(lines)]);

test('a table of changes loses the lines of a row or a text, and the others keep every byte', async () => {
  const kept = [
    ['changed', 'hill', 'prompt', '=a hill, with "quotes"', '-a hill\nin two lines'],
    ['added', 'lake', '', '', '@a lake'],
  ];
  const gone = [
    ['removed', 'old', '', '=a secret', ''],
    ['changed', 'fox', 'seed', '1', '2'],
    ['changed', 'other', 'prompt', 'a plain one', '=a secret'],
  ];
  await store.create('changes.csv', table([gone[0]!, kept[0]!, gone[1]!, kept[1]!, gone[2]!]), 'text/csv');
  await rewriteChanges(store, 'changes.csv', isForgotten(new Set(['fox']), new Set(['=a secret'])));
  expect(Buffer.from(await store.read('changes.csv'))).toEqual(Buffer.from(table(kept)));
});

test.each(['=a secret;=2', 'a secret\n- in\n- lines', "'=a secret", 'a secret\n"=2"'])(
  'a forgotten text is found in a table of changes, however it is kept from being a formula: %j',
  async (secret) => {
    const kept = ['added', 'lake', '', '', 'a lake;=3'];
    const earlier = `changed,fox,prompt,"${/^=/.test(secret) ? "'" : ''}${secret.replaceAll('"', '""')}",a fox\r\n`;
    const lines = [table([['added', 'fox', '', '', secret], kept]), Buffer.from(earlier)];
    await store.replace('secrets.csv', Buffer.concat(lines), 'text/csv');
    await rewriteChanges(store, 'secrets.csv', isForgotten(new Set(), new Set([secret])));
    expect(Buffer.from(await store.read('secrets.csv'))).toEqual(Buffer.from(table([kept])));
  },
);

test('a plan loses its rows, and is removed if it has no others', async () => {
  await store.create(
    'plan.jsonl',
    toJsonLines([
      { id: 'fox', n: 1 },
      { id: 'hill', n: 2 },
    ]),
    'application/x-ndjson',
  );
  await rewriteJsonLines(store, 'plan.jsonl', new Set(['fox']));
  expect(Buffer.from(await store.read('plan.jsonl')).toString()).toBe('{"id":"hill","n":2}\n');
  await rewriteJsonLines(store, 'plan.jsonl', new Set(['fox']));
  await rewriteJsonLines(store, 'plan.jsonl', new Set(['hill']));
  expect(await store.stat('plan.jsonl')).toBeNull();
});
