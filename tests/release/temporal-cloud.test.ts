import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { SecureServerOptions } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { EXIT } from '../../cli/exit-codes.ts';
import { startTemporalServer, type TemporalServer } from '../../infra/dev/temporal-server.ts';
import { runHere } from '../cli/run-here.ts';
import { startGateway } from '../client/gateway.ts';
import { type Certificate, makeAuthority } from '../connection/certificates.ts';
import { WorkerProcess } from '../e2e/worker-process.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const KEY = 'the-key-that-the-namespace-knows-0123456789';
const ANOTHER = 'another-key-that-nobody-has-issued-0123456789';

let folder: string;
let server: TemporalServer;
let trusted: string;
let mine: Certificate;
let strangers: Certificate;
/** In TLS as Temporal Cloud is: one asks for an API key, one for a client certificate. */
let byKey: string;
let byCertificate: string;
/** Calls that the first let through, with the namespace that each is for. */
const passed: string[] = [];
const stops: (() => void)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixart-tls-'));
  server = await startTemporalServer({ ui: false });
  const authority = makeAuthority(folder, 'authority');
  const own = authority.issue('server');
  const tls = { cert: await readFile(own.cert), key: await readFile(own.key) };
  trusted = authority.cert;
  mine = authority.issue('client');
  strangers = makeAuthority(folder, 'stranger').issue('client');
  byKey = await tlsBefore(tls, (authorization) => authorization === `Bearer ${KEY}`);
  byCertificate = await tlsBefore({ ...tls, ca: await readFile(trusted), requestCert: true }, () => true);
});

afterAll(async () => {
  for (const stop of stops) stop();
  await server?.stop();
  await rm(folder, { recursive: true });
});

async function tlsBefore(tls: SecureServerOptions, isLetIn: (authorization?: string) => boolean): Promise<string> {
  const gateway = await startGateway(
    server.address,
    (call, { authorization, 'temporal-namespace': namespace }) => {
      if (!isLetIn(authorization)) return { code: 16, details: 'Request unauthorized.' };
      passed.push(`${call} ${namespace}`);
      return null;
    },
    tls,
  );
  stops.push(gateway.stop);
  // By name: a server's name in TLS cannot be an address.
  return gateway.address.replace('127.0.0.1', 'localhost');
}

const ca = () => ({ TEMPORAL_TLS_SERVER_CA_CERT_PATH: trusted });
const certificate = ({ cert, key }: Certificate) => ({
  TEMPORAL_TLS_CLIENT_CERT_PATH: cert,
  TEMPORAL_TLS_CLIENT_KEY_PATH: key,
});

describe('with an API key', () => {
  const withKey = (key: string) => ({ TEMPORAL_ADDRESS: byKey, TEMPORAL_API_KEY: key, ...ca() });

  test('commands and workers are let in, and send the key and the namespace with each call', async () => {
    const worker = new WorkerProcess(['--orchestrator'], withKey(KEY));
    await worker.said('orchestrator ready');
    expect(await runHere(['list'], withKey(KEY))).toMatchObject({
      code: EXIT.ok,
      stderr: expect.stringMatching(/^the server knows no batch\..*\n$/),
    });
    await expect.poll(() => passed).toContain('PollWorkflowTaskQueue default');
    expect(passed).toContain('ListWorkflowExecutions default');
    expect(await worker.kill('SIGTERM')).toBe(EXIT.ok);
  });

  test.each([
    ['another key', ANOTHER],
    ['no key', ''],
  ])('%s is refused with what to check, and the key is never printed', async (_, key) => {
    const environment = { ...withKey(key), TEMPORAL_TLS: 'true' };
    const said = /denied access to namespace "default": Request unauthorized\. Check TEMPORAL_API_KEY/;
    await expectRefused(environment, said, key || KEY);
  });
});

describe('with certificates', () => {
  const at = (address: string, more: NodeJS.ProcessEnv) => ({ TEMPORAL_ADDRESS: address, ...more });

  test('commands and workers are let in with one that the server trusts', async () => {
    const environment = at(byCertificate, { ...ca(), ...certificate(mine) });
    const worker = new WorkerProcess(['--orchestrator'], environment);
    await worker.said('orchestrator ready');
    expect(await runHere(['list'], environment)).toMatchObject({ code: EXIT.ok });
    expect(await worker.kill('SIGTERM')).toBe(EXIT.ok);
  });

  const wrong: [string, () => NodeJS.ProcessEnv, RegExp][] = [
    [
      'of somebody else',
      () => at(byCertificate, { ...ca(), ...certificate(strangers) }),
      /rejects the client certificate in TEMPORAL_TLS_CLIENT_CERT_PATH/,
    ],
    ['that is missing', () => at(byCertificate, ca()), /require a client certificate.*TEMPORAL_TLS_CLIENT_CERT_PATH/],
    [
      'of a server that is not trusted',
      () => at(byKey, { TEMPORAL_API_KEY: KEY }),
      /not trusted here.*TEMPORAL_TLS_SERVER_CA_CERT_PATH/,
    ],
    [
      'of a server for another name',
      () => at(byKey, { ...ca(), TEMPORAL_API_KEY: KEY, TEMPORAL_TLS_SERVER_NAME: 'another.example' }),
      /for another name.*TEMPORAL_TLS_SERVER_NAME/,
    ],
    ['that nobody asked the client for: TLS is missing', () => at(byKey, {}), /require TLS do.*TEMPORAL_API_KEY/],
    [
      'that the server has not: TLS is too much',
      () => at(server.address.replace('127.0.0.1', 'localhost'), { TEMPORAL_API_KEY: KEY }),
      /does not speak TLS/,
    ],
  ];
  test.each(wrong)('one %s is told, with what to do', async (_, environment, said) => {
    await expectRefused(environment(), said, KEY);
  });
});

/** By a command and by a worker, in the same words. */
async function expectRefused(environment: NodeJS.ProcessEnv, said: RegExp, secret: string): Promise<void> {
  const worker = new WorkerProcess(['--orchestrator'], environment);
  const listed = await runHere(['list'], environment);
  expect(listed).toMatchObject({ code: EXIT.unreachable, stderr: expect.stringMatching(said) });
  expect(await worker.gone()).toBe(EXIT.unreachable);
  const log = JSON.stringify(worker.lines.map(({ msg }) => msg)).replaceAll('\\"', '"');
  expect(log).toMatch(said);
  expect(log + listed.stderr).not.toContain(secret);
}
