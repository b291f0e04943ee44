import getPort from 'get-port';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { startHttp } from '../../workers/http-answers.ts';

it('answers every path, also one that is no part of a URL, and goes on', async () => {
  const address = `127.0.0.1:${await getPort()}`;
  const stop = await startHttp(address, { condition: () => 'ready', wanted: null, log: pino({ level: 'silent' }) });
  try {
    const status = async (path: string): Promise<number> => (await fetch(`http://${address}${path}`)).status;
    expect(await status('//')).toBe(404);
    expect(await status('/wanted')).toBe(404);
    expect(await status('/health?from=probe')).toBe(200);
  } finally {
    await stop();
  }
});
