import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UserError } from '../../domain/user-error.ts';
import { StoreUnavailable } from '../../store/index.ts';
import { allowanceOf } from '../../workers/allowance.ts';
import { checkPlace } from '../../workers/allowed-places.ts';
import { outsideOf } from '../../workers/outside.ts';

let folder: string;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'pixart-allowed-')));
  for (const name of ['out/team', 'output', 'elsewhere']) await mkdir(path.join(folder, name), { recursive: true });
  await writeFile(path.join(folder, 'elsewhere', 'catalog.csv'), 'the first line of a file of somebody else');
  await symlink(path.join(folder, 'elsewhere'), path.join(folder, 'out', 'link'));
  await symlink('../elsewhere/catalog.csv', path.join(folder, 'out', 'link.csv'));
  await symlink('../elsewhere/not-there/yet', path.join(folder, 'out', 'dangling'));
  await symlink('circle', path.join(folder, 'out', 'circle'));
  await symlink('team', path.join(folder, 'out', 'within'));
  await symlink(path.join(folder, 'out'), path.join(folder, 'linked-root'));
  await symlink(path.join(folder, 'unmounted', 'images'), path.join(folder, 'mount'));
});

afterAll(() => rm(folder, { recursive: true }));

const url = (name: string): string => pathToFileURL(path.join(folder, name)).href;
const check = (allowed: string[], place: string) =>
  checkPlace(
    allowanceOf(allowed.map((name) => (name.includes('://') ? name : path.join(folder, name)))),
    'store',
    place,
  );

const allowed = (names: string[], place: string) => expect(check(names, place), place).resolves.toBeUndefined();
const refused = (names: string[], place: string, why: RegExp | string = 'found another. To allow it, start them') =>
  expect(check(names, place), place).rejects.toThrow(why);

test('a folder is allowed with all that is in it or will be, and nothing beside or above it', async () => {
  for (const name of ['out', 'out/', 'out/team', 'out/new/store', 'out/..team', 'out/team/../x']) {
    await allowed(['out'], url(name));
  }
  for (const name of ['output', 'ou', '.', 'out/../output', 'elsewhere', 'OUT', 'new'])
    await refused(['out'], url(name));
  await allowed(['output', 'out/team'], url('out/team'));
  await refused([], url('out'));
});

test('a URL is looked at as whoever opens it reads it', async () => {
  const out = url('out');
  for (const place of [`${out}/%74eam`, out.replace('file:', 'FILE:'), out.replace('///', '/'), `${out}/a%20b?x#y`]) {
    await allowed(['out'], place);
  }
  for (const place of [
    `${out}/%2e%2e/output`,
    `${out}/.%2E/output`,
    `${out}/\\..\\../output`,
    `file:${folder}/output`,
  ]) {
    await refused(['out'], place);
  }
  for (const place of [`${out}/%2e%2e%2foutput`, `${out}/%00`, `${out}/%zz`, `file://host${folder}/out`]) {
    await refused(['out'], place, /store .*: expected three slashes and a path/);
  }
});

test('a symbolic link inside an allowed folder does not lead out of it, wherever it leads', async () => {
  const leads = 'found a symbolic link that leads elsewhere';
  for (const name of ['link', 'link/x', 'link.csv', 'dangling', 'dangling/x'])
    await refused(['out'], url(`out/${name}`), leads);
  await allowed(['out'], url('out/within/x'));
  await allowed(['out', 'elsewhere'], url('out/link.csv'));
  await refused(['output'], url('out/circle'), 'found another');
});

test('the allowed folder itself may be a link, also to what is not there at the moment', async () => {
  for (const name of ['linked-root', 'linked-root/team', 'out/team']) await allowed(['linked-root'], url(name));
  await refused(['linked-root'], url('linked-root/link'), 'a symbolic link that leads elsewhere');
  await allowed(['mount'], url('mount/team'));
  await refused(['mount'], url('unmounted/else'));
});

test('what is allowed but cannot be looked into now is waited for', async () => {
  await expect(check(['out'], url('out/circle'))).rejects.toThrow(StoreUnavailable);
  const closed = path.join(folder, 'out', 'closed');
  await mkdir(path.join(closed, 'store'), { recursive: true });
  await chmod(closed, 0);
  if (process.getuid?.() !== 0) await expect(check(['out'], url('out/closed/store'))).rejects.toThrow(StoreUnavailable);
  await chmod(closed, 0o700);
});

test('buckets are all allowed until one is named, and then it alone, by whole parts of names', async () => {
  for (const place of ['gs://team', 'gs://any/thing']) await allowed([], place);
  for (const place of ['gs://team/images', 'gs://team/images/', 'gs://team/images/of/may']) {
    await allowed(['gs://team/images', 'out'], place);
  }
  for (const place of ['gs://team', 'gs://team/images2', 'gs://team-2/images', 'gs://other', ' gs://other']) {
    await refused(['gs://team/images'], place);
  }
  await allowed(['gs://team'], url('out').replace('file:', 'ftp:'));
});

const name = fc.stringMatching(/^[a-z.%~ -]{1,6}$/).filter((text) => !/^\.+$/.test(text));

test('whatever folders are called, what is inside one is allowed, and what only begins like it is not', () =>
  fc.assert(
    fc.asyncProperty(name, name, name, async (root, inside, suffix) => {
      await allowed([`new/${root}`], url(`new/${root}/${inside}`));
      await refused([`new/${root}`], url(`new/${root}${suffix}`));
      await refused([`new/${root}/${inside}`], url(`new/${root}`));
      await allowed([`gs://team/${root}`], `gs://team/${root}/${inside}`);
      await refused([`gs://team/${root}`], `gs://team/${root}${suffix}`);
    }),
    { numRuns: 60 },
  ));

test('what is refused is not opened, and a refusal tells a person what to add', async () => {
  const outside = outsideOf(allowanceOf([path.join(folder, 'out')]), url('output'));
  const catalog = url('elsewhere/catalog.csv');
  for (const open of [
    () => outside.openStore(url('elsewhere')),
    () => outside.sources.readUrl(catalog),
    () => outside.sources.readUrl(url('out/link.csv')),
    () => outside.sources.termsReader(url('elsewhere'))('animals'),
  ]) {
    const error = (await open().catch((caught: unknown) => caught)) as Error;
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).not.toContain('first line');
  }
  await expect(outside.sources.readUrl(catalog)).rejects.toThrow(
    `catalog ${catalog}: expected a place that the workers`,
  );
  await expect(outside.sources.readUrl(catalog)).rejects.toThrow(`--allow ${catalog} (or PIXART_ALLOW)`);
  await expect(outside.openStore("file:///a b;'$(x)\u001b[2J")).rejects.toThrow(
    "store file:///a%20b;'$(x)%1B[2J: expected a place that the workers were started for, found another. To allow it, start them with " +
      "--allow 'file:///a%20b;%27$(x)%1B[2J' (or PIXART_ALLOW)",
  );
  expect((await outside.openStore(url('out/team'))).url).toBe(url('out/team'));
  expect((await outside.openStore(url('output'))).url).toBe(url('output'));
});
