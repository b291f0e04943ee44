import type { InjectedSinks } from '@temporalio/worker';
import type { TraceSinks } from '../../workflows/tracing/tracing.ts';
import type { Tracer } from './tracer.ts';

/** Takes what workflows tell of their runs' ends; without a tracer it is thrown away. */
export const workflowSpans = (tracer: Tracer | null): InjectedSinks<TraceSinks> => ({
  traces: {
    ended: {
      callDuringReplay: false,
      fn({ workflowType, workflowId, runId }, { trace, parentSpanId, startMs, endMs, outcome }) {
        tracer?.record({
          ...trace,
          parentSpanId,
          name: workflowType,
          startMs,
          endMs,
          attributes: { 'temporal.workflow.id': workflowId, 'temporal.run.id': runId, outcome },
          ...(outcome === 'failed' ? { error: 'the workflow failed' } : {}),
        });
      },
    },
  },
});
