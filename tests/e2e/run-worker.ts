/** One worker, as a process that a test can kill: `orchestrator <address>`, or `renderer <address> <bundle>`. */
import { temporalTarget } from '../../client/index.ts';
import { createLog, logTemporalTo } from '../../workers/logging.ts';
import { runOrchestrator } from '../../workers/orchestrator.ts';
import { renderConfig } from '../../workers/render-config.ts';
import { runRenderWorker } from '../../workers/render-worker.ts';

const [role, address, bundle] = process.argv.slice(2);
const log = createLog(role!);
logTemporalTo(log);
const target = temporalTarget({ address });
if (role === 'orchestrator') await runOrchestrator(target, log);
else
  await runRenderWorker(renderConfig({ bundle, device: 'cpu', sizes: [], threads: 1, graceSeconds: 4 }), target, log);
