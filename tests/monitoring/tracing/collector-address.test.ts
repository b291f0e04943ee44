import { expect, test } from 'vitest';
import { UserError } from '../../../domain/user-error.ts';
import { collectorAddress } from '../../../monitoring/tracing/collector-address.ts';

test.each([{}, { OTEL_EXPORTER_OTLP_ENDPOINT: '' }, { OTEL_SERVICE_NAME: 'x' }])(
  'without an endpoint nothing is traced: %o',
  (env) => expect(collectorAddress(env)).toBeNull(),
);

test('an endpoint for traces alone takes precedence', () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:1', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://b:2/in' };
  expect(collectorAddress(env)).toBe('http://b:2/in');
});

test.each([{ OTEL_SDK_DISABLED: 'true' }, { OTEL_TRACES_EXPORTER: 'none' }])('%o switches tracing off', (off) => {
  expect(collectorAddress({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:1', ...off })).toBeNull();
});

test('an endpoint that is no address is reported with the name of its variable', () => {
  const bad = () => collectorAddress({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' });
  expect(bad).toThrow(UserError);
  expect(bad).toThrow(/OTEL_EXPORTER_OTLP_ENDPOINT: expected .* found "collector:4317"/);
});
