import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { temporalTarget } from '../../client/index.ts';
import { whyUnreachable } from '../../connection/unreachable.ts';

test('of an address that takes connections and closes them, a tunnel whose server is away is named beside a server with TLS', async () => {
  const tunnel = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  onTestFinished(() => void tunnel.close());
  await once(tunnel, 'listening');
  const address = `127.0.0.1:${(tunnel.address() as AddressInfo).port}`;
  const why = await whyUnreachable(temporalTarget({ address }, { HOME: '/nonexistent' }), 'transport error');
  expect(why).toMatch(
    /closes the connection.*require TLS.*tunnels whose server is down.*check that the server is running/,
  );
});
