import { expect, test } from 'vitest';
import { UserError } from '../../../domain/user-error.ts';
import { otlpSettings } from '../../../monitoring/tracing/otlp-settings.ts';

test('without an endpoint nothing is traced', () => {
  expect(otlpSettings({})).toBeNull();
  expect(otlpSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toBeNull();
  expect(otlpSettings({ OTEL_SERVICE_NAME: 'x' })).toBeNull();
});

test.each([
  ['http://collector:4318', 'http://collector:4318/v1/traces'],
  ['https://collector/otlp/', 'https://collector/otlp/v1/traces'],
])('traces have a path of their own below the endpoint %s', (endpoint, url) => {
  expect(otlpSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })?.url).toBe(url);
});

test('an endpoint for traces alone is taken as it is', () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:1', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://b:2/in' };
  expect(otlpSettings(env)?.url).toBe('http://b:2/in');
});

test.each([{ OTEL_SDK_DISABLED: 'true' }, { OTEL_TRACES_EXPORTER: 'none' }])('%o switches tracing off', (off) => {
  expect(otlpSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:1', ...off })).toBeNull();
});

test('headers and resource attributes are decoded, and the service name wins over its attribute', () => {
  const settings = otlpSettings({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:1',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20Zm9vPQ==, x-team=art',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,deployment.environment=night',
    OTEL_SERVICE_NAME: 'renderers',
  });
  expect(settings?.headers).toEqual({ authorization: 'Basic Zm9vPQ==', 'x-team': 'art' });
  expect(settings?.resource).toEqual({ 'service.name': 'renderers', 'deployment.environment': 'night' });
});

test('an endpoint that is no address is told by the variable', () => {
  const bad = () => otlpSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' });
  expect(bad).toThrow(UserError);
  expect(bad).toThrow(/OTEL_EXPORTER_OTLP_ENDPOINT: expected .* found "collector:4317"/);
});

test('a wrong header is told without its value, which may be a key', () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:1', OTEL_EXPORTER_OTLP_HEADERS: 'sesame' };
  expect(() => otlpSettings(env)).toThrow(/^OTEL_EXPORTER_OTLP_HEADERS: expected key=value(?!.*sesame)/s);
});
