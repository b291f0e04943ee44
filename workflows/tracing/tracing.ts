import {
  type ActivityInput,
  ContinueAsNew,
  type ContinueAsNewInput,
  isCancellation,
  type Next,
  proxySinks,
  type Sinks,
  type StartChildWorkflowExecutionInput,
  type WorkflowExecuteInput,
  type WorkflowInboundCallsInterceptor,
  type WorkflowInterceptors,
  type WorkflowOutboundCallsInterceptor,
  workflowInfo,
} from '@temporalio/workflow';
import { type TraceParent, traceOf, withTrace } from './trace-header.ts';

/** A run of a workflow, as its end is told to the worker. Times are milliseconds since 1970. */
export type WorkflowRun = {
  trace: TraceParent;
  parentSpanId: string;
  startMs: number;
  endMs: number;
  outcome: 'completed' | 'cancelled' | 'continued as new' | 'failed';
};

export interface TraceSinks extends Sinks {
  traces: { ended(run: WorkflowRun): void };
}

const { traces } = proxySinks<TraceSinks>();

/**
 * Passes the trace of the workflow's caller on to everything that it starts itself. No id is drawn here: the run's span
 * has the last digits of the run's own id, which are random ones, so that a replay gives the same, and kept histories
 * without a trace replay as they are.
 */
class TracePropagation implements WorkflowInboundCallsInterceptor, WorkflowOutboundCallsInterceptor {
  /** The span of this workflow's caller, and of every run that it continues as. */
  #parent: TraceParent | null = null;
  #trace: TraceParent | null = null;

  async execute(input: WorkflowExecuteInput, next: Next<WorkflowInboundCallsInterceptor, 'execute'>): Promise<unknown> {
    const parent = traceOf(input.headers);
    if (parent === null) return next(input);
    const { runId, startTime } = workflowInfo();
    const trace = { traceId: parent.traceId, spanId: runId.replaceAll('-', '').slice(-16) };
    this.#parent = parent;
    this.#trace = trace;
    const ended = (outcome: WorkflowRun['outcome']): void =>
      traces.ended({ trace, parentSpanId: parent.spanId, startMs: startTime.getTime(), endMs: Date.now(), outcome });
    try {
      const result = await next(input);
      ended('completed');
      return result;
    } catch (error) {
      ended(outcomeOf(error));
      throw error;
    }
  }

  async scheduleActivity(
    input: ActivityInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'scheduleActivity'>,
  ): Promise<unknown> {
    return next({ ...input, headers: passedOn(input.headers, this.#trace) });
  }

  async startChildWorkflowExecution(
    input: StartChildWorkflowExecutionInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'startChildWorkflowExecution'>,
  ): Promise<[Promise<string>, Promise<unknown>]> {
    return next({ ...input, headers: passedOn(input.headers, this.#trace) });
  }

  async continueAsNew(
    input: ContinueAsNewInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'continueAsNew'>,
  ): Promise<never> {
    return next({ ...input, headers: passedOn(input.headers, this.#parent) });
  }
}

const passedOn = (headers: ActivityInput['headers'], trace: TraceParent | null): ActivityInput['headers'] =>
  trace === null ? headers : withTrace(headers, trace);

function outcomeOf(error: unknown): WorkflowRun['outcome'] {
  if (error instanceof ContinueAsNew) return 'continued as new';
  return isCancellation(error) ? 'cancelled' : 'failed';
}

export const interceptors = (): WorkflowInterceptors => {
  const propagation = new TracePropagation();
  return { inbound: [propagation], outbound: [propagation] };
};
