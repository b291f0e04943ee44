import type { MetricMeter, MetricTags } from '@temporalio/common';
import { STAGES, type Stage } from '../../domain/timings.ts';
import { createEncodeMetrics, createRenderMetrics } from '../../monitoring/render-metrics.ts';
import { code, codes, table } from './markdown.ts';

type Kind = 'counter' | 'histogram' | 'gauge';

type Recorded = { name: string; kind: Kind; description: string; labels: Map<string, Set<string>> };

/** The endings of metric names in Prometheus. */
const ENDINGS: Record<Kind, string> = { counter: '_total', histogram: '_bucket, _sum, _count', gauge: '' };

/** Records metrics instead of counting. */
class Recorder {
  readonly recorded: Recorded[] = [];

  meter(tags: MetricTags = {}): MetricMeter {
    const create = (kind: Kind, name: string, description = '') => {
      const metric: Recorded = { name, kind, description, labels: new Map() };
      this.recorded.push(metric);
      const use = (_: number, more: MetricTags = {}) => addLabels(metric.labels, { ...tags, ...more });
      // Only the functions that our own code calls.
      return { name, kind, description, add: use, record: use, set: use, withTags: () => never() } as never;
    };
    return {
      createCounter: (name, _unit, description) => create('counter', name, description),
      createHistogram: (name, _type, _unit, description) => create('histogram', name, description),
      createGauge: (name, _type, _unit, description) => create('gauge', name, description),
      withTags: (more) => this.meter({ ...tags, ...more }),
    };
  }
}

function never(): never {
  throw new Error('expected metrics to get their labels with each value');
}

function addLabels(labels: Map<string, Set<string>>, tags: MetricTags): void {
  for (const [name, value] of Object.entries(tags)) {
    labels.set(name, (labels.get(name) ?? new Set()).add(String(value)));
  }
}

/** @throws Error for a metric that is not used here, whose labels are therefore unknown */
function allMetrics(): Recorded[] {
  const recorder = new Recorder();
  const metrics = createRenderMetrics(recorder.meter(), 'cuda:0', ['256']);
  for (const stage of Object.keys(STAGES) as Stage[]) metrics.stage('256', stage, 1);
  metrics.queueWait('256', 1);
  metrics.microBatch('256', 1);
  metrics.children(1);
  metrics.deviceMemory(1);
  createEncodeMetrics(recorder.meter(), 'cuda:0');
  const unused = recorder.recorded.find(({ labels }) => labels.size === 0);
  if (unused) throw new Error(`${unused.name}: expected infra/reference/metrics.ts to use it, found that it does not`);
  return recorder.recorded;
}

const labelsOf = ({ labels }: Recorded): string =>
  [...labels].map(([name, values]) => (values.size > 1 ? `${code(name)}: ${codes(values)}` : code(name))).join('; ');

/** The metrics that a worker exposes besides those of Temporal's SDK. */
export const metricsPage = (): string => `# Metrics

A worker started with \`--metrics-address\` exposes these to Prometheus, besides the metrics of Temporal's SDK, whose names begin
with \`temporal_\`. \`device\` is the worker's (\`cpu\`, \`cuda:0\`), \`size\` that of the image. Batches and jobs are no labels: there are
thousands of them. \`infra/monitoring/\` has a dashboard and alerts that use the metrics.

${table(
  ['metric', 'type', 'endings', 'meaning', 'labels'],
  allMetrics().map((metric) => [
    code(metric.name),
    metric.kind,
    codes(ENDINGS[metric.kind].split(', ').filter(Boolean)),
    metric.description,
    labelsOf(metric),
  ]),
)}

The stages are described in [store.md](../store.md#timings-in-manifests).
`;
