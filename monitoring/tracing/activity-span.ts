import type { Info } from '@temporalio/activity';
import type { TraceParent } from '../../workflows/tracing/trace-header.ts';
import { type Attributes, childOf, clockMs } from './span.ts';
import type { Tracer } from './tracer.ts';

/** An activity's span while it runs. */
type ActivitySpan = {
  /** Something that was done within it. */
  part(name: string, startMs: number, endMs: number): void;
  end(attributes: Attributes, error?: string): void;
};

export function beginActivitySpan(tracer: Tracer, parent: TraceParent, info: Info): ActivitySpan {
  const trace = childOf(parent);
  const begun = clockMs();
  return {
    part(name, startMs, endMs) {
      tracer.record({ ...childOf(trace), parentSpanId: trace.spanId, name, startMs, endMs, attributes: {} });
    },
    end(attributes, error) {
      tracer.record({
        ...trace,
        parentSpanId: parent.spanId,
        name: info.activityType,
        startMs: begun,
        endMs: clockMs(),
        attributes: { 'temporal.workflow.id': info.workflowExecution?.workflowId ?? '', ...attributes },
        error,
      });
    },
  };
}
