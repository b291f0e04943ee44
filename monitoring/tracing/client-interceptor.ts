import type { WorkflowClientInterceptor } from '@temporalio/client';
import { withTrace } from '../../workflows/tracing/trace-header.ts';
import { clockMs, newTrace } from './span.ts';
import type { Tracer } from './tracer.ts';

/** Begins a trace with every workflow that is started from here. */
export const startsTraces = (tracer: Tracer): WorkflowClientInterceptor => ({
  async start(input, next) {
    const trace = newTrace();
    const startMs = clockMs();
    const record = (error?: string): void =>
      tracer.record({
        ...trace,
        name: 'submit',
        startMs,
        endMs: clockMs(),
        attributes: { 'temporal.workflow.id': input.options.workflowId },
        error,
      });
    try {
      const runId = await next({ ...input, headers: withTrace(input.headers, trace) });
      record();
      return runId;
    } catch (error) {
      record(error instanceof Error ? error.name : String(error));
      throw error;
    }
  },
});
