import { IllegalStateError, Worker } from '@temporalio/worker';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ServerUnreachable, temporalTarget } from '../../client/index.ts';
import { closeConnection, connectWorker } from '../../connection/worker-connection.ts';
import { startTemporalServer } from '../../infra/dev/temporal-server.ts';
import '../quiet-runtime.ts';

vi.setConfig({ testTimeout: 60_000 });

test('a connection that a worker holds which never ran does not hide, when it is closed, why another could not be made', async () => {
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

test('where no server answers, the error is one that a command ends with code 4 for', async () => {
  await expect(connectWorker(temporalTarget({ address: '127.0.0.1:1' }))).rejects.toBeInstanceOf(ServerUnreachable);
});
