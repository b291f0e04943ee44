import { chmod, readFile, rename, rm } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import {
  type AuditEntry,
  type BatchClient,
  batchEnd,
  cancelBatch,
  controlBatch,
  createSchedule,
  deleteSchedule,
  exportSchedules,
  importSchedules,
  pauseSchedule,
  readAudit,
  resumeSchedule,
  retryBatch,
  type SavedSchedule,
  triggerSchedule,
  verifyBatch,
} from '../../client/index.ts';
import { AUDIT_FOLDER, copyName } from '../../records/layout.ts';
import { runHere } from '../cli/run-here.ts';
import { BUNDLE, type Site, startSite } from '../workflows/site.ts';

vi.setConfig({ testTimeout: 180_000 });

let site: Site;
/** Long enough for commands to arrive before a batch ends. */
let stepMs = 1_000;

beforeAll(async () => {
  site = await startSite({ stepMs: () => stepMs });
});

afterAll(() => site.stop());

async function trail(query: Parameters<typeof readAudit>[1]): Promise<AuditEntry[]> {
  const found: AuditEntry[] = [];
  for await (const entry of readAudit(site.store.url, query)) found.push(entry);
  return found;
}

it('submitting, changing, cancelling, retrying and repairing a batch each leave an audit line, without any words of a prompt', async () => {
  const client = site.client;
  const rows = Array.from({ length: 8 }, (_, index) => `a violet hedgehog ${index},256`);
  const batch = await site.submit('told', rows, 1);
  await controlBatch(client, batch, { kind: 'pause' });
  await controlBatch(client, batch, { kind: 'window', window: 2 });
  await controlBatch(client, batch, { kind: 'priority', priority: 1 });
  await controlBatch(client, batch, { kind: 'cancel-rows', filter: { column: 'prompt', pattern: '*hedgehog 7*' } });
  await controlBatch(client, batch, { kind: 'resume', maxFailures: { count: 3 } });
  await cancelBatch(client, batch);
  await batchEnd(client, batch);
  stepMs = 0;
  onTestFinished(() => {
    stepMs = 1_000;
  });
  await retryBatch(client, batch);
  await batchEnd(client, batch);
  const { images } = await verifyBatch(batch, { store: site.store.url, repair: true });

  const entries = await trail({ batch });
  expect(entries.map(({ action, ended }) => [action, ended?.outcome])).toEqual(
    ['submit', 'pause', 'window', 'priority', 'cancel-rows', 'resume', 'cancel', 'retry', 'repair'].map((action) => [
      action,
      'done',
    ]),
  );
  for (const { who } of entries) expect(who).toEqual({ user: userInfo().username, host: hostname() });
  const details = new Map(entries.map(({ action, details, ended }) => [action, { ...details, ...ended?.details }]));
  expect(details.get('submit')).toMatchObject({ jobs: 8, images: 8, bundle: 'simulated', webhook: false });
  expect(details.get('window')).toEqual({ window: 2 });
  expect(details.get('cancel-rows')).toEqual({ column: 'prompt' });
  expect(details.get('retry')).toMatchObject({ round: 2, withRejected: false });
  expect(details.get('repair')).toMatchObject({ images, differences: 0 });
  expect(JSON.stringify(entries)).not.toMatch(/hedgehog/);
});

it("commands on a schedule are in the audit trail of its store, and Temporal's history says who gave a command", async () => {
  const { client } = site;
  const catalog = await site.catalog('nightly.csv', ['a green heron,256']);
  const when = { cron: '0 3 * * *' };
  await createSchedule(client, { name: 'nightly', when, catalog, store: site.store.url, bundle: BUNDLE });
  await pauseSchedule(client, 'nightly');
  await resumeSchedule(client, 'nightly');
  const triggered = await triggerSchedule(client, 'nightly');
  expect(triggered).toMatchObject({ outcome: 'started' });
  let saved: SavedSchedule | undefined;
  // A new schedule appears in the listing within seconds.
  await vi.waitFor(async () => {
    for await (const each of exportSchedules(client)) if (each.name === 'nightly') saved = each;
    expect(saved).toBeDefined();
  }, 30_000);
  await deleteSchedule(client, 'nightly');
  for (const outcome of ['created', 'exists'] as const) {
    const imported = await importSchedules(client, [JSON.stringify(saved)], 'schedules.jsonl');
    expect(imported).toEqual([{ name: 'nightly', outcome, paused: false }]);
  }
  await deleteSchedule(client, 'nightly');
  const entries = await trail({ schedule: 'nightly' });
  expect(entries.map(({ action }) => action)).toEqual(
    ['create', 'pause', 'resume', 'trigger', 'delete', 'import', 'import', 'delete'].map(
      (order) => `schedule-${order}`,
    ),
  );
  expect(entries[0]!.details).toMatchObject({ when: 'cron 0 3 * * *', timeZone: 'UTC' });
  expect(entries[3]!.ended).toMatchObject({ details: triggered });
  expect(entries[6]!.ended).toMatchObject({ outcome: 'done', details: { outcome: 'exists' } });

  const batch = await site.submit(
    'named',
    Array.from({ length: 8 }, (_, index) => `a heron ${index},256`),
    1,
  );
  await controlBatch(client, batch, { kind: 'pause' });
  const { history } = await client.temporal.workflowService.getWorkflowExecutionHistory({
    namespace: client.namespace,
    execution: { workflowId: `batch/${batch}` },
  });
  const accepted = history?.events?.flatMap(({ workflowExecutionUpdateAcceptedEventAttributes: of }) => of ?? []) ?? [];
  expect(accepted.map(({ acceptedRequest }) => acceptedRequest?.meta?.identity)).toEqual([
    `${userInfo().username}@${hostname()}`,
  ]);
  await cancelBatch(client, batch);
  await batchEnd(client, batch);
});

it('a refused command is recorded as refused', async () => {
  const batch = await site.submit('twice', ['a fox,256']);
  await expect(site.submit('twice', ['a fox,256'])).rejects.toThrow('already exists');
  await batchEnd(site.client, batch);
  const outcomes = (await trail({ batch })).map(({ ended }) => [ended?.outcome, ended?.error]);
  expect(outcomes).toEqual([
    ['done', undefined],
    ['refused', 'BatchExists'],
  ]);
});

it('if the store does not accept audit lines, a batch is stopped with a warning, but no new one is started', async () => {
  const batch = await site.submit(
    'unseen',
    Array.from({ length: 8 }, (_, index) => `an owl ${index},256`),
    1,
  );
  const warnings: string[] = [];
  const client: BatchClient = { ...site.client, warn: (message) => void warnings.push(message) };
  const folder = path.join(fileURLToPath(site.store.url), AUDIT_FOLDER);
  const aside = `${folder.slice(0, -1)}-aside`;
  await rename(folder, aside);
  // A file in place of the folder: not even root can write into it.
  await site.store.create('audit', Buffer.from('in the way'), 'text/plain');
  onTestFinished(async () => {
    await rm(folder.slice(0, -1), { force: true });
    await rename(aside, folder);
  });
  await cancelBatch(client, batch);
  expect((await batchEnd(client, batch)).state).toBe('cancelled');
  expect(warnings).toEqual([expect.stringMatching(/^cancel left no audit line in the store: .*audit/)]);
  await expect(site.submit('unseen-either', ['an owl,256'])).rejects.toThrow(/audit/);
  expect(await site.store.stat(copyName('unseen-either', { id: 'an-owl', format: 'png' }))).toBeNull();
  await expect(batchEnd(client, 'unseen-either')).rejects.toThrow('unknown to');
});

it('"audit" prints the lines as text and as JSON, and says which one is damaged', async () => {
  const environment = { PIXART_STORE: site.store.url };
  const shown = await runHere(['audit', '--batch', 'told'], environment);
  expect(shown).toMatchObject({ code: 0, stderr: '' });
  expect(shown.stdout.split('\n')[0]).toMatch(/^asked \(UTC\) +who +what +of +outcome +details$/);
  expect(shown.stdout).toMatch(/ submit +told +done +jobs=8 images=8 /);
  expect((await runHere(['audit', '--until', '2020-01-01', '--since', '2019-01-01'], environment)).stdout).toBe('');
  expect((await runHere(['audit', '--since', '2026-02-30'], environment)).code).toBe(2);

  const names: string[] = [];
  for await (const { name } of site.store.list(AUDIT_FOLDER)) names.push(name);
  const cut = path.join(fileURLToPath(site.store.url), names.at(-1)!);
  const whole = await readFile(cut);
  await chmod(cut, 0o644);
  onTestFinished(async () => rm(cut));
  await rm(cut);
  await site.store.replace(names.at(-1)!, whole.subarray(0, 9), 'application/json');
  const json = await runHere(['audit', '--json'], environment);
  expect(json.stderr).toMatch(/skipping an audit line: audit\/.*is damaged/);
  const lines = json.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.length).toBeGreaterThan(10);
  expect(lines.every(({ storedAt }) => Date.parse(storedAt) > 0)).toBe(true);
});
