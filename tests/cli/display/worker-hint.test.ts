import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { lackOfWorkers } from '../../../cli/display/worker-watch.ts';
import { workerHint } from '../../../cli/server-choice.ts';

beforeEach(() => vi.stubEnv('TEMPORAL_ADDRESS', ''));
afterEach(() => vi.unstubAllEnvs());

const lack = (address: string, store = 'gs://bucket/images'): string[] =>
  lackOfWorkers(['256'], {
    orchestrators: 1,
    renderers: [{ size: '256', workers: 0 }],
    bundle: { name: 'icons', digest: 'a'.repeat(64) },
    store,
    serverHint: workerHint({ address, namespace: 'default' }),
  });

test('the suggested worker command names the server unless it is at the default address', () => {
  const command = '  npx pixart-batch worker --renderer --size 256 --bundle icons';
  expect(lack('127.0.0.1:7233')).toContain(command);
  expect(lack('127.0.0.1:7235')).toContain(`${command} --address 127.0.0.1:7235`);
});

test('it allows the folder that the batch writes to, which a worker would refuse otherwise', () => {
  const allowing = (store: string) => lack('127.0.0.1:7233', store).join('\n');
  expect(allowing('file:///mnt/team/images')).toMatch(/ --bundle icons --allow \/mnt\/team\/images$/);
  expect(allowing("file:///mnt/the%20artist's/images")).toMatch(/ --allow '\/mnt\/the artist'\\''s\/images'$/);
  expect(allowing('gs://bucket/images')).not.toContain('--allow');
});
