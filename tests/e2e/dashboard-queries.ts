import { readFileSync } from 'node:fs';

const file = (name: string): string => readFileSync(new URL(`../../infra/monitoring/${name}`, import.meta.url), 'utf8');

/** Every PromQL expression of the dashboard's panels and of the alert rules. */
export function monitoringQueries(): string[] {
  const dashboard = JSON.parse(file('grafana-dashboard.json')) as { panels: { targets?: { expr: string }[] }[] };
  const panels = dashboard.panels.flatMap(({ targets }) => targets ?? []).map(({ expr }) => expr);
  const alerts = [...file('alerts.yml').matchAll(/expr:( >\n(?: {10}.*\n)+| .*)/g)].map(([, expr]) => expr!);
  return [...panels, ...alerts];
}

export type UsedMetric = { metric: string; labels: string[] };

/** The metrics that a query names, each with the labels that it is selected by. */
export const metricsUsed = (query: string): UsedMetric[] =>
  [...query.matchAll(/\b((?:pixart|temporal)_\w+)(?:\{([^}]*)\})?/g)].map(([, metric, selector = '']) => ({
    metric: metric!,
    labels: [...selector.matchAll(/(\w+)\s*=?[=!]~?"/g)].map(([, label]) => label!),
  }));

/** The labels that the query's results are grouped by. */
export const groupedBy = (query: string): string[] =>
  [...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels]) => labels!.split(',').map((label) => label.trim()));

/** Metric names, each with the labels that its samples have, from Prometheus' text format. */
export function exposedMetrics(text: string): Map<string, Set<string>> {
  const metrics = new Map<string, Set<string>>();
  for (const [, metric, labels = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const names = metrics.get(metric!) ?? new Set();
    for (const [, name] of labels.matchAll(/(\w+)="/g)) names.add(name!);
    metrics.set(metric!, names);
  }
  return metrics;
}
