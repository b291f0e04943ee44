/** The process that runs workflows: ours and the bare one. Argument: `<address>`. */
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { allowanceOf } from '../../workers/allowance.ts';
import { createOrchestrator } from '../../workers/orchestrator.ts';
import { outsideOf } from '../../workers/outside.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });
const connection = await NativeConnection.connect({ address: process.argv[2]! });
const workers = await Promise.all([
  createOrchestrator(connection, 'default', outsideOf(allowanceOf([tmpdir()])), null),
  Worker.create({
    connection,
    taskQueue: 'bare',
    workflowsPath: fileURLToPath(new URL('bare-workflow.ts', import.meta.url)),
  }),
]);
process.send?.('ready');
process.on('disconnect', () => process.exit());
await Promise.all(workers.map((worker) => worker.run()));
