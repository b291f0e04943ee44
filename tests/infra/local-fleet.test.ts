import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { startLocalFleet } from '../../infra/dev/local-fleet.ts';

const stateFolder = await mkdtemp(join(tmpdir(), 'fleet-'));

afterEach(() => vi.unstubAllEnvs());

afterAll(() => rm(stateFolder, { recursive: true, force: true }));

const start = (namespace?: string) =>
  startLocalFleet({ stateFolder, namespace, bundle: 'nowhere', sizes: [], device: 'cpu', tell: () => {} });

test('a namespace that the local server would not have is refused before anything starts', async () => {
  await expect(start('team')).rejects.toThrow(/namespace "team": expected "default".*TEMPORAL_ADDRESS/);
  vi.stubEnv('TEMPORAL_NAMESPACE', 'night');
  await expect(start()).rejects.toThrow(/namespace "night"/);
});
