/**
 * The process that runs activities: ours with a simulated renderer, and ones that do nothing. Argument: `<address>`.
 */
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createRenderActivities } from '../../activities/index.ts';
import { openStore } from '../../store/index.ts';
import { renderQueue } from '../../workflows/contract/queues.ts';
import { simulatedCaptions, simulatedRenderer } from '../simulated-renderer.ts';
import { BUNDLE } from './bundle.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });
const connection = await NativeConnection.connect({ address: process.argv[2]! });
// A window's worth of slots each: this compares orchestration, not how many images a machine renders at once.
const workers = await Promise.all([
  Worker.create({ connection, taskQueue: 'bare-activities', activities: { noop: async () => {} } }),
  Worker.create({
    connection,
    taskQueue: renderQueue('256', BUNDLE.digest),
    activities: createRenderActivities({
      captions: simulatedCaptions,
      openStore,
      renderer: simulatedRenderer({ bundle: BUNDLE, side: 8 }),
    }),
  }),
]);
process.send?.('ready');
process.on('disconnect', () => process.exit());
await Promise.all(workers.map((worker) => worker.run()));
