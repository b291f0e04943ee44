import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Fault } from './cells.ts';

/** Whom batches tell of their ends; it can be made to fail. */
export type Receiver = {
  url: string;
  /** `null` for none. */
  fault: Fault | null;
  refused: number;
  /** The batches whose completion it has taken, once for each time. */
  told: string[];
  stop(): Promise<void>;
};

export async function startReceiver(): Promise<Receiver> {
  const server = createServer(async (request, response) => {
    const body = await text(request);
    if (receiver.fault !== null) {
      receiver.refused += 1;
      if (receiver.fault === 'reset') request.socket.resetAndDestroy();
      else if (receiver.fault !== 'hang') response.writeHead(Number(receiver.fault)).end();
      return;
    }
    const { type, data } = JSON.parse(body) as { type: string; data: { batch: string } };
    if (type === 'batch.completed') receiver.told.push(data.batch);
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fault: null,
    refused: 0,
    told: [],
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}
