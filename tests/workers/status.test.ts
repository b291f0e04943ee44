import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import getPort from 'get-port';
import { expect, it } from 'vitest';

const script = fileURLToPath(new URL('status-process.ts', import.meta.url));

it('a process takes work once all its parts do and until it is told to drain or to stop, and a second signal to stop ends it', async () => {
  const address = `127.0.0.1:${await getPort()}`;
  const worker = spawn(process.execPath, ['--import', 'tsx', script, address], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(worker, 'exit');
  try {
    await once(worker.stdout, 'data');
    const health = async () => {
      const answer = await fetch(`http://${address}/health`);
      const { ready, state } = (await answer.json()) as { ready: boolean; state: string };
      expect(ready).toBe(answer.status === 200);
      return state;
    };
    const partReady = async (): Promise<void> => {
      worker.stdin.write('\n');
      await once(worker.stdout, 'data');
    };
    expect(await health()).toBe('starting');
    await partReady();
    expect(await health()).toBe('starting');
    await partReady();
    expect(await health()).toBe('ready');
    worker.kill('SIGUSR2');
    await expect.poll(health).toBe('draining');
    worker.kill('SIGTERM');
    await expect.poll(health).toBe('stopping');
    worker.kill('SIGTERM');
    expect(await ended).toEqual([null, 'SIGTERM']);
  } finally {
    worker.kill('SIGKILL');
  }
});
