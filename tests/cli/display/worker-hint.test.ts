import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { lackOfWorkers } from '../../../cli/display/worker-watch.ts';
import { workerHint } from '../../../cli/server-choice.ts';

beforeEach(() => vi.stubEnv('TEMPORAL_ADDRESS', ''));
afterEach(() => vi.unstubAllEnvs());

const lack = (address: string): string[] =>
  lackOfWorkers(['256'], {
    orchestrators: 1,
    renderers: [{ size: '256', workers: 0 }],
    bundle: { name: 'icons', digest: 'a'.repeat(64) },
    serverHint: workerHint({ address, namespace: 'default' }),
  });

test('the suggested worker command names the server unless it is at the default address', () => {
  const command = '  npx pixart-batch worker --renderer --size 256 --bundle icons';
  expect(lack('127.0.0.1:7233')).toContain(command);
  expect(lack('127.0.0.1:7235')).toContain(`${command} --address 127.0.0.1:7235`);
});
