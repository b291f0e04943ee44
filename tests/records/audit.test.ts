import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname, tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { UserError } from '../../domain/user-error.ts';
import { audited } from '../../records/audit.ts';
import { AUDIT_FOLDER, auditName } from '../../records/layout.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-audit-'));
});

afterAll(() => rm(folder, { recursive: true }));

const storeNamed = (name: string): Promise<ObjectStore> => openStore(pathToFileURL(path.join(folder, name)).href);

async function lines(store: ObjectStore): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const { name } of store.list(AUDIT_FOLDER)) found.push(JSON.parse(String(await store.read(name))));
  return found;
}

it('who does what is written before the action, and how it ended after it', async () => {
  const store = await storeNamed('both');
  const result = await audited(
    store,
    { action: 'clean', batch: 'spring', details: { olderThan: '30d' } },
    async (tell) => {
      expect(await lines(store)).toMatchObject([{ action: 'clean' }]);
      tell({ batches: 3 });
      tell({ objects: 12 });
      return 'gone';
    },
  );
  expect(result).toBe('gone');
  expect(await lines(store)).toMatchObject([
    {
      who: { user: userInfo().username, host: hostname() },
      action: 'clean',
      batch: 'spring',
      details: { olderThan: '30d' },
    },
    { outcome: 'done', details: { batches: 3, objects: 12 } },
  ]);
});

it('a refusal or failure is recorded by its error class, not by the message, which may quote a prompt', async () => {
  const store = await storeNamed('refused');
  const refusal = new UserError('row 3: a fox in a red coat');
  await expect(audited(store, { action: 'retry', batch: 'spring' }, () => Promise.reject(refusal))).rejects.toBe(
    refusal,
  );
  const fault = new TypeError('a fox in a red coat');
  await expect(audited(store, { action: 'retry', batch: 'spring' }, () => Promise.reject(fault))).rejects.toBe(fault);
  const ended = (await lines(store)).filter((line) => Object.hasOwn(line as object, 'outcome'));
  expect(ended).toHaveLength(2);
  expect(ended).toContainEqual(expect.objectContaining({ outcome: 'refused', error: 'UserError' }));
  expect(ended).toContainEqual(expect.objectContaining({ outcome: 'failed', error: 'TypeError' }));
  expect(JSON.stringify(await lines(store))).not.toContain('fox');
});

it('nothing is done if the first line cannot be written', async () => {
  const store = await storeNamed('blocked');
  await writeFile(path.join(folder, 'blocked'), 'a file where the folder should be');
  let isDone = false;
  const act = async () => {
    isDone = true;
  };
  await expect(audited(store, { action: 'submit', batch: 'spring' }, act)).rejects.toThrow(/blocked/);
  expect(isDone).toBe(false);
});

it('many simultaneous actions all leave their lines, each in a read-only file', async () => {
  const store = await storeNamed('many');
  const actions = Array.from({ length: 40 }, (_, index) => `b${index}`);
  await Promise.all(actions.map((batch) => audited(store, { action: 'pause', batch }, async () => {})));
  const days = path.join(folder, 'many', AUDIT_FOLDER);
  const [day] = await readdir(days);
  const names = await readdir(path.join(days, day!));
  expect(names).toHaveLength(80);
  const asked = names.filter((name) => name.endsWith('.asked.json'));
  const batches = await Promise.all(
    asked.map(async (name) => JSON.parse(await readFile(path.join(days, day!, name), 'utf8')).batch),
  );
  expect(batches.toSorted()).toEqual(actions.toSorted());
  for (const name of names) expect((await stat(path.join(days, day!, name))).mode & 0o222).toBe(0);
});

it('names sort by time, with the two lines of one action side by side', () => {
  const time = fc.date({ min: new Date('2000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
  const nonce = fc.nat(2 ** 32 - 1).map((value) => value.toString(16).padStart(8, '0'));
  fc.assert(
    fc.property(time, time, nonce, nonce, (one, other, a, b) => {
      const [first, later] = [one, other].toSorted((x, y) => +x - +y) as [Date, Date];
      if (+first !== +later) {
        expect([auditName(later, b, 'asked'), auditName(first, a, 'ended')].toSorted()[0]).toBe(
          auditName(first, a, 'ended'),
        );
      }
      expect(auditName(first, a, 'asked') < auditName(first, a, 'ended')).toBe(true);
    }),
  );
});
