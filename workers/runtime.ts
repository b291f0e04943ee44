import { DefaultLogger, Runtime, type RuntimeOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import { UserError } from '../domain/user-error.ts';
import { METRIC_BUCKETS } from '../monitoring/render-metrics.ts';
import { temporalLevel, temporalLines } from './logging.ts';

type RuntimeSettings = {
  log: Logger;
  /** Where Prometheus may ask for metrics, such as `127.0.0.1:9464`; without it none are kept. */
  metricsAddress?: string | undefined;
};

/**
 * Settings of Temporal's SDK that hold for the whole process: its log goes to ours, and its metrics and ours to one
 * endpoint, `http://<metricsAddress>/metrics`. Call it once per process, before using the SDK.
 *
 * @throws UserError where the address cannot be listened on
 */
export function installRuntime({ log, metricsAddress }: RuntimeSettings): void {
  try {
    Runtime.install({
      logger: new DefaultLogger(temporalLevel(log), temporalLines(log)),
      telemetryOptions: {
        logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} },
        ...(metricsAddress === undefined ? {} : { metrics: prometheus(metricsAddress) }),
      },
    });
  } catch (error) {
    if (metricsAddress === undefined) throw error;
    throw new UserError(
      `--metrics-address ${metricsAddress}: expected an address of this machine with a free port ` +
        `(${error instanceof Error ? error.message : error})`,
    );
  }
}

type MetricsOptions = NonNullable<NonNullable<RuntimeOptions['telemetryOptions']>['metrics']>;

const prometheus = (bindAddress: string): MetricsOptions => ({
  attachServiceName: false,
  prometheus: {
    bindAddress,
    countersTotalSuffix: true,
    useSecondsForDurations: true,
    histogramBucketOverrides: METRIC_BUCKETS,
  },
});
