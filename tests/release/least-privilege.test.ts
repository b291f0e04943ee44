import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { sweepCaptions } from '../../activities/caption-sweep.ts';
import { EXIT } from '../../cli/exit-codes.ts';
import { findTemporal } from '../../infra/dev/temporal-program.ts';
import { checkpointName, damagedName, LIMITS_NAME } from '../../records/layout.ts';
import type { Manifest } from '../../records/manifest.ts';
import { openStore } from '../../store/index.ts';
import { expectCode, type Finished } from '../e2e/command-line.ts';
import type { WorkerProcess } from '../e2e/worker-process.ts';
import { type Grant, grantsOf, grantText, PARTS } from '../infra/iam/parts.ts';
import { type GuardedFleet, startGuardedFleet } from './guarded-fleet.ts';

// Some eighty commands, one after the other.
vi.setConfig({ testTimeout: 1_800_000, hookTimeout: 300_000 });

const PAINTER = ['--renderer', '--threads', '1', '--children', '1', '--checkpoint', '0', '--without-text-encoder'];
const RENDERER = PAINTER.slice(0, -1);

/** Which permission is needed on which bucket, and where there are roles for it. */
const REFUSED = /needs storage\.objects\.\w+ on bucket "studio".*infra\/iam\/README\.md/;

/** What a part would replace and does not need to, as beside a retention policy. */
const STAYS: Record<string, RegExp> = {
  renderer: /^storage\.objects\.(create damaged\/objects|delete batches)\//,
  repairer: /^storage\.objects\.delete damaged\//,
  orchestrator: /^storage\.objects\.delete batches\/[^/]+\/(contact-sheet|changes)/,
};

/** Of an update that takes longer than a call may, and of work that is cancelled while a worker has it in hand. */
const SELDOM = ['PollWorkflowExecutionUpdate', 'RespondActivityTaskCanceled'];

/** Of a morning report, which tests/workflows/messages.test.ts has. */
const OF_REPORTS = new Map([['orchestrator', ['DescribeSchedule']]]);

let fleet: GuardedFleet;
let orchestrator: WorkerProcess;

beforeAll(async () => {
  fleet = await startGuardedFleet();
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await fleet?.stop();
});

const ok = async (part: string, ...args: string[]): Promise<Finished> =>
  expectCode(EXIT.ok, await fleet.run(part, ...args));

const catalog = (name: string, adjective: string, size = 256): Promise<string> => {
  const rows = ['mug', 'lamp', 'chair', 'kettle', 'clock'].map((id) => `${id},a ${adjective} ${id},${size},4`);
  return fleet.place.catalog(`${name}.csv`, ['id,prompt,size,steps', ...rows].join('\n'));
};

/** A batch that is refused something before it is planned fails, and is submitted again. */
async function night(batch: string, file: string, format = 'png'): Promise<void> {
  for (;;) {
    await ok('submitter', 'submit', file, '--batch', batch, '--image-format', format);
    const end = await fleet.finish(batch);
    if (end.state !== 'failed') return;
    expect(end.reason).toMatch(REFUSED);
  }
}

/** Of its last round; `manifest.json` may be an earlier one's, which the orchestrator was not yet granted to replace. */
async function manifestOf(batch: string): Promise<Manifest> {
  const rounds = (await fleet.names(`batches/${batch}/manifest-`)).filter((name) => name.endsWith('.json'));
  return JSON.parse((await fleet.read(rounds.sort().at(-1)!)).toString());
}

const imageOf = async (batch: string, id: string) => (await manifestOf(batch)).images.find((image) => image.id === id)!;

/** Batches as small as these are too quick for some calls: then a part's store does not answer until what is returned is called. */
const slow = (part: string): (() => void) => fleet.part(part).bucket.hold();

/** Waits until a part has made that call. @param again what it makes it by, where once may be too early */
const hasMade = (part: string, call: string, again?: () => Promise<unknown>) =>
  expect
    .poll(
      async () => {
        await again?.();
        return [...fleet.part(part).calls.made];
      },
      { timeout: 120_000 },
    )
    .toContain(call);

test('from nothing, every part is granted what it says that it is refused, until a night works', async () => {
  const { place, startWorker } = fleet;
  await fleet.overwrite(LIMITS_NAME, '{"imagesPerDay": 1000}');
  orchestrator = await startWorker('orchestrator', ['--orchestrator'], 'orchestrator ready');
  const encoder = await startWorker('encoder', ['--encoder', '--threads', '1'], 'encode worker ready');
  const painter = await startWorker('renderer', PAINTER, 'render worker ready');
  const red = await catalog('red', 'red');
  await ok('submitter', 'plan', red);
  await night('red', red);
  await night('again', red);
  await ok('submitter', 'plan', red);
  const one = await place.catalog('one.csv', 'id,prompt,steps\none,a yellow mug,2\n');
  const encoderGoesOn = slow('encoder');
  await ok('submitter', 'submit', one, '--batch', 'png');
  await hasMade('encoder', 'RecordActivityTaskHeartbeat');
  encoderGoesOn();
  await fleet.finish('png');
  // Once a minute.
  for (const part of ['encoder', 'renderer']) await hasMade(part, 'RecordWorkerHeartbeat');
  await Promise.all([encoder.kill('SIGTERM'), painter.kill('SIGTERM')]);

  // A renderer that encodes for itself, and finds kept captions damaged.
  for (const caption of await fleet.names('captions/')) await fleet.overwrite(caption, 'damaged');
  await startWorker('renderer', RENDERER, 'render worker ready');
  const large = await catalog('large', 'red', 512);
  await night('large', large, 'webp');
  await night('larger', await catalog('larger', 'blue', 512));
  for (const format of ['avif', 'jpeg']) await night(format, one, format);
  // Of what a round replaces it is told in the batch's details, and the next round replaces it.
  for (const _round of [2, 3]) {
    const { renderKey } = await imageOf('large', 'mug');
    const decisions = await place.catalog('decisions.csv', `id,render_key,decision\nmug,${renderKey},rejected\n`);
    await ok('submitter', 'retry', 'large', '--rejected', decisions);
    await fleet.finish('large');
  }
});

test('who looks, who controls and who repairs are granted theirs', async () => {
  const { place } = fleet;
  for (const part of ['reviewer', 'submitter']) {
    for (const verb of ['watch', 'report', 'verify']) await ok(part, verb, 'large');
    await ok(part, 'list');
  }

  const long = await place.catalog('long.csv', 'id,prompt,size,steps\na,long a,512,200\nb,long b,512,200\n');
  const orchestratorGoesOn = slow('orchestrator');
  const rendererGoesOn = slow('renderer');
  await ok('submitter', 'submit', long, '--batch', 'long');
  await hasMade('orchestrator', 'RecordActivityTaskHeartbeat');
  orchestratorGoesOn();
  await hasMade('reviewer', 'DescribeTaskQueue', () => ok('reviewer', 'status', 'long'));
  await ok('submitter', 'pause', 'long');
  await ok('submitter', 'resume', 'long');
  await ok('submitter', 'cancel', 'long');
  rendererGoesOn();
  await fleet.finish('long');

  const nightly = [long, '--at', '22:00', '--time-zone', 'Europe/Berlin'];
  await ok('submitter', 'schedule', 'create', 'deleted', ...nightly);
  await ok('submitter', 'schedule', 'delete', 'deleted');
  await ok('submitter', 'schedule', 'create', 'nightly', ...nightly);
  await ok('submitter', 'schedule', 'pause', 'nightly');
  // A night that is over at once.
  await ok('submitter', 'schedule', 'update', 'nightly', '--max-jobs', '0');
  await ok('submitter', 'schedule', 'trigger', 'nightly');
  for (const part of ['reviewer', 'submitter']) {
    await ok(part, 'schedule', 'list');
    await hasMade(part, 'ListScheduleMatchingTimes', () => ok(part, 'schedule', 'describe', 'nightly'));
  }

  await fleet.overwrite('batches/again/lamp.png', 'no picture');
  await fleet.overwrite((await imageOf('again', 'chair')).object, 'no picture');
  await ok('repairer', 'verify', 'again', '--repair');
});

test('where object and copy are damaged, a renderer puts a new picture into their place with the roles of a repairer', async () => {
  const { object, copy } = await imageOf('again', 'mug');
  for (const name of [object, copy]) await fleet.overwrite(name, 'no picture');
  const rendererGoesOn = slow('renderer');
  const repair = fleet.run('repairer', 'verify', 'again', '--repair');
  await hasMade('repairer', 'DescribeTaskQueue');
  rendererGoesOn();
  const { stdout } = expectCode(EXIT.imagesMissing, await repair);
  expect(stdout).toMatch(
    /is damaged \(.*\) and cannot be replaced: .*needs storage\.objects\.create on .*infra\/iam\/README\.md/,
  );
  await fleet.finish('again');

  const { granted } = fleet.part('renderer').bucket;
  const own = [...granted];
  granted.push(...grantsOf(PARTS.repairer!));
  await ok('repairer', 'verify', 'again', '--repair');
  granted.splice(0, granted.length, ...own);
  const repaired = await imageOf('again', 'mug');
  expect(repaired.outcome).toBe('rendered');
  expect(await fleet.read(object)).toEqual(await fleet.read(repaired.copy));
});

test('who removes is granted that, and leaves audit lines as others do', async () => {
  const { renderKey, object } = await imageOf('larger', 'mug');
  await fleet.overwrite(checkpointName(renderKey), 'left behind');
  await fleet.overwrite(damagedName(object, '1'), 'damaged');
  await ok('remover', 'forget', 'larger', '--yes');
  await ok('remover', 'forget', 'large', '--where', 'id=clock', '--yes');
  const left = await Promise.all(['objects', 'batches', 'scratch', 'damaged'].map((kind) => fleet.names(`${kind}/`)));
  expect(left.flat().filter((name) => name.includes(renderKey) || name.startsWith('batches/larger/'))).toEqual([]);
  await ok('remover', 'clean', '--store', fleet.storeUrl, '--batches-older-than', '1d', '--yes');
  await ok('submitter', 'schedule', 'delete', 'nightly');
  const told = await ok('reviewer', 'audit', '--store', fleet.storeUrl);
  for (const action of ['submit', 'pause', 'repair', 'retry', 'forget', 'clean']) expect(told.stdout).toContain(action);
  await orchestrator.kill('SIGTERM');

  // Nobody waits thirty days for old captions.
  vi.stubEnv('STORAGE_EMULATOR_HOST', fleet.part('encoder').bucket.endpoint);
  const sweep = async () => sweepCaptions(await openStore(fleet.storeUrl), Date.now() + 365 * 86_400_000);
  await fleet.attempt('encoder', sweep);
  expect(await fleet.names('captions/')).toEqual([]);
});

test('who rolls versions out needs Temporal alone', async () => {
  const { environment } = fleet.part('releaser');
  const deployment = (verb: string, ...args: string[]) =>
    promisify(execFile)(findTemporal(), ['worker', 'deployment', verb, ...args], {
      env: { ...process.env, ...environment },
    });
  const version = ['--deployment-name', 'studio', '--build-id', '2'];
  // Workers of it are elsewhere; no queue of this fleet belongs to it.
  await deployment('set-ramping-version', ...version, '--percentage', '50', '--allow-no-pollers', '--yes');
  await deployment('set-current-version', ...version, '--allow-no-pollers', '--yes');
  await deployment('describe', '--name', 'studio');
  await deployment('describe-version', ...version);
  expect((await deployment('list')).stdout).toContain('studio');
  await deployment('manager-identity', 'set', '--deployment-name', 'studio', '--self', '--yes');
  await deployment('manager-identity', 'unset', '--deployment-name', 'studio', '--yes');
});

test.each(Object.keys(PARTS))(
  '%s: in the end it has what infra/iam has for it, and has made the calls that are there',
  (name) => {
    const { bucket, calls, told } = fleet.part(name);
    const sorted = (grants: Grant[]): string[] => grants.map(grantText).sort();
    expect(sorted(bucket.granted)).toEqual(sorted(grantsOf(PARTS[name]!)));
    const elsewhere = [...SELDOM, ...(OF_REPORTS.get(name) ?? [])];
    expect(PARTS[name]!.namespace.filter((call) => !calls.made.has(call) && !elsewhere.includes(call))).toEqual([]);
    expect([...calls.refused]).toEqual([]);
    // What else it was refused did not matter: the same was there, or what is there stays and another is written beside it.
    const stays = STAYS[name] ?? /^$/;
    expect([...told, ...bucket.refused.keys()].filter((refusal) => !stays.test(refusal))).toEqual([]);
  },
);
