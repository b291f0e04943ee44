import { IllegalStateError, Worker } from '@temporalio/worker';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ServerUnreachable, temporalTarget } from '../../client/index.ts';
import { closeConnection, connectWorker } from '../../connection/worker-connection.ts';
import { startTemporalServer } from '../../infra/dev/temporal-server.ts';
import '../quiet-runtime.ts';

vi.setConfig({ testTimeout: 60_000 });

test('closing a connection held by a worker that never ran does not hide why another one failed', async () => {
  const server = await startTemporalServer({ ui: false });
  onTestFinished(() => server.stop());
  const connection = await connectWorker(temporalTarget({ address: server.address }));
  const worker = await Worker.create({ connection, taskQueue: 'never', activities: { nothing: async () => {} } });
  await expect(connection.close()).rejects.toBeInstanceOf(IllegalStateError);
  await closeConnection(connection);
  const running = worker.run();
  worker.shutdown();
  await running;
  await closeConnection(connection);
  await expect(connection.workflowService.getSystemInfo({})).rejects.toThrow();
});

test('if no server answers, the error is one for which a command exits with code 4', async () => {
  await expect(connectWorker(temporalTarget({ address: '127.0.0.1:1' }))).rejects.toBeInstanceOf(ServerUnreachable);
});
