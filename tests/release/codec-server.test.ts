import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { isSealed } from '../../encryption/sealed.ts';
import { findTemporal } from '../../infra/dev/temporal-program.ts';
import { startTemporalServer, type TemporalServer } from '../../infra/dev/temporal-server.ts';
import { openStore } from '../../store/index.ts';
import { type IdentityProvider, identityProvider } from '../codec-server/identity-provider.ts';
import { makeAuthority } from '../connection/certificates.ts';
import { expectCode, pixartBatch, type RunningCommand, startPixartBatch } from '../e2e/command-line.ts';
import { WorkerProcess } from '../e2e/worker-process.ts';
import { lineOf } from '../encryption/keys.ts';
import { TINY_BUNDLE } from '../models/renderer/tiny-renderer.ts';
import { testBrowser } from '../review-page/browser.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 400_000 });

const browser = await testBrowser();

const TOKEN = 'a-token-that-nobody-guesses-in-time';
const SECRET = /zebrafinch|velvet/;
const keys = { PIXART_ENCRYPTION_KEYS: lineOf('tonight') };
const soon = { timeout: 120_000, interval: 250 };

let folder: string;
let server: TemporalServer;
let workers: WorkerProcess[];
let provider: IdentityProvider;
let codec: { plain: RunningCommand; tls: RunningCommand };
let address: { plain: string; tls: string };

beforeAll(async () => {
  if (browser === null) return;
  folder = await mkdtemp(join(tmpdir(), 'pixart-codec-'));
  server = await startTemporalServer();
  workers = [
    new WorkerProcess(['--orchestrator', '--address', server.address], keys),
    new WorkerProcess(
      ['--renderer', '--address', server.address, '--bundle', TINY_BUNDLE, '--threads', '1', '--encrypt-kept', 'yes'],
      keys,
    ),
  ];
  const catalog = join(folder, 'catalog.csv');
  await writeFile(catalog, 'prompt,steps\na zebrafinch on velvet,2\na zebrafinch in flight,2\n');
  const submitted = pixartBatch(['submit', catalog, '--batch', 'tonight', '--wait', '--address', server.address], {
    ...keys,
    PIXART_STORE: join(folder, 'out'),
    PIXART_BUNDLE: TINY_BUNDLE,
  });
  provider = await identityProvider();
  codec = { plain: startCodec(), tls: startCodec(...certificate(), ...identity(provider)) };
  address = { plain: await addressOf(codec.plain), tls: await addressOf(codec.tls) };
  expectCode(0, await submitted);
});

afterAll(async () => {
  if (browser === null) return;
  await browser.close();
  for (const process of Object.values(codec ?? {})) process.signal('SIGTERM');
  provider?.stop();
  await Promise.all((workers ?? []).map((worker) => worker.kill('SIGKILL')));
  await server?.stop();
  await rm(folder, { recursive: true });
});

const startCodec = (...options: string[]): RunningCommand =>
  startPixartBatch(['codec-server', '--listen', '127.0.0.1:0', '--ui', server.uiUrl!, ...options], {
    ...keys,
    PIXART_CODEC_TOKEN: TOKEN,
  });

const addressOf = async (command: RunningCommand): Promise<string> => (await command.said(/codec server +(\S+)/))[1]!;

function certificate(): string[] {
  const { key, cert } = makeAuthority(folder, 'studio').issue('codec');
  return ['--tls-key', key, '--tls-cert', cert];
}

const identity = ({ jwt }: IdentityProvider): string[] => [
  ...['--jwt-issuer', jwt.issuer, '--jwt-audience', jwt.audience, '--jwks', jwt.jwks.href],
];

/** Somebody who opens the history of the batch's shard in Temporal's UI, with these settings of their browser. */
async function person(
  settings: Record<string, unknown>,
  first: (context: BrowserContext) => Promise<unknown> = async () => {},
) {
  const context = await browser!.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1400, height: 900 } });
  await first(context);
  const stored = Object.entries(settings).map(([name, value]) => [name, JSON.stringify(value)]);
  await context.addInitScript(`for (const entry of ${JSON.stringify(stored)}) localStorage.setItem(...entry)`);
  const page = await context.newPage();
  await page.goto(`${server.uiUrl}/namespaces/default/workflows/${encodeURIComponent('batch/tonight/1-0')}`);
  return { page, close: () => context.close() };
}

const textOf = async (page: Page): Promise<string> => (await page.locator('body').allInnerTexts()).join('\n');

const signIn = async (context: BrowserContext): Promise<void> => {
  const page = await context.newPage();
  await page.goto(address.plain);
  await page.getByLabel('Token').fill(TOKEN);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('You are signed in').waitFor();
  await page.close();
};

const through = (endpoint: string, how: object) => ({ endpoint, overrideRemoteCodecConfiguration: true, ...how });

test.skipIf(browser === null)('without the codec server Temporal’s UI shows nothing of a prompt', async () => {
  const { page, close } = await person({});
  await expect.poll(() => textOf(page), soon).toContain('renderImage');
  expect(await textOf(page)).not.toMatch(SECRET);
  await page.goto(page.url().replace(/[^/]*$/, 'history'));
  await expect.poll(() => textOf(page), soon).toContain('Workflow Execution Completed');
  expect(await textOf(page)).not.toMatch(SECRET);
  expect(await page.content()).not.toMatch(SECRET);
  await close();
});

test.skipIf(browser === null)(
  'a user who has signed in at the codec server sees the images’ prompts in Temporal’s UI',
  async () => {
    const { page, close } = await person(through(address.plain, { includeCredentials: true }), signIn);
    await expect.poll(() => textOf(page), soon).toMatch(/: a zebrafinch on velvet/);
    await close();
    await codec.plain.said(/"caller":"cookie","namespace":"default","payloads":\d+,"msg":"decoded"/);
  },
);

test.skipIf(browser === null)(
  'a user who has not signed in sees ciphertext there, and that the codec server refuses',
  async () => {
    const { page, close } = await person(through(address.plain, { includeCredentials: true }));
    await expect.poll(() => textOf(page), soon).toMatch(/Codec Server could not connect/i);
    expect(await textOf(page)).not.toMatch(SECRET);
    await close();
  },
);

test.skipIf(browser === null)(
  'a user who is signed in to the UI itself is known by the token that it passes on, over TLS',
  async () => {
    // What makes the UI of a server for one machine treat its user as signed in; everything else is its own code.
    const withSignIn = (context: BrowserContext) =>
      context.route('**/api/v1/settings*', async (route) => {
        const response = await route.fetch();
        const settings = await response.json();
        await route.fulfill({ response, json: { ...settings, Auth: { ...settings.Auth, Enabled: true } } });
      });
    const user = (accessToken: string) => through(address.tls, { passAccessToken: true, AuthUser: { accessToken } });
    const known = await person(user(await provider.token()), withSignIn);
    await expect.poll(() => textOf(known.page), soon).toMatch(/: a zebrafinch on velvet/);
    await known.close();
    await codec.tls.said(/"caller":"ada"/);
    const other = await person(user(await provider.token({}, false)), withSignIn);
    await expect.poll(() => textOf(other.page), soon).toMatch(/Codec Server could not connect/i);
    expect(await textOf(other.page)).not.toMatch(SECRET);
    await other.close();
  },
);

test.skipIf(browser === null)(
  'Temporal’s command line shows prompts with the token, and ciphertext without',
  async () => {
    const show = (...options: string[]): string =>
      execFileSync(
        findTemporal(),
        [
          'workflow',
          'show',
          '--address',
          server.address,
          '--workflow-id',
          'batch/tonight/1-0',
          '--output',
          'json',
          ...options,
        ],
        { encoding: 'utf8', maxBuffer: 2 ** 26 },
      );
    const decoded = JSON.stringify(
      readable(JSON.parse(show('--codec-endpoint', address.plain, '--codec-auth', `Bearer ${TOKEN}`))),
    );
    expect(decoded).toMatch(/: a zebrafinch on velvet/);
    expect(JSON.stringify(readable(JSON.parse(show())))).not.toMatch(SECRET);
  },
);

/** With what stands in base64 as text. */
const readable = (value: unknown): unknown =>
  typeof value === 'string'
    ? [value, Buffer.from(value, 'base64').toString('latin1')]
    : value !== null && typeof value === 'object'
      ? Object.entries(value).map(([name, part]) => [name, readable(part)])
      : value;

test.skipIf(browser === null)('the captions of the batch lie encrypted in its store', async () => {
  const store = await openStore(pathToFileURL(join(folder, 'out')).href);
  let captions = 0;
  for await (const { name } of store.list('captions/')) {
    expect(isSealed(await store.read(name))).toBe(true);
    captions += 1;
  }
  expect(captions).toBe(3);
});
