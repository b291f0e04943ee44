import { UserError } from '../../domain/user-error.ts';
import type { Attributes } from './span.ts';

export type OtlpSettings = { url: string; headers: Record<string, string>; resource: Attributes };

/**
 * Where spans go, from OpenTelemetry's standard variables: OTEL_EXPORTER_OTLP_ENDPOINT (or …_TRACES_ENDPOINT, taken as it
 * is), OTEL_EXPORTER_OTLP_HEADERS, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES; OTEL_SDK_DISABLED=true and
 * OTEL_TRACES_EXPORTER=none switch off. `null` where no endpoint is set.
 *
 * @throws UserError where a variable is not what OpenTelemetry's specification expects
 */
export function otlpSettings(env: NodeJS.ProcessEnv): OtlpSettings | null {
  if (env.OTEL_SDK_DISABLED === 'true' || env.OTEL_TRACES_EXPORTER === 'none') return null;
  const url = tracesUrl(env);
  if (url === null) return null;
  return {
    url,
    headers: { ...pairs(env, 'OTEL_EXPORTER_OTLP_HEADERS'), ...pairs(env, 'OTEL_EXPORTER_OTLP_TRACES_HEADERS') },
    resource: {
      'service.name': 'pixart-batch',
      ...pairs(env, 'OTEL_RESOURCE_ATTRIBUTES'),
      ...(env.OTEL_SERVICE_NAME ? { 'service.name': env.OTEL_SERVICE_NAME } : {}),
    },
  };
}

function tracesUrl(env: NodeJS.ProcessEnv): string | null {
  const { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: exact, OTEL_EXPORTER_OTLP_ENDPOINT: base } = env;
  if (exact) return httpUrl('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', exact);
  if (base) return `${httpUrl('OTEL_EXPORTER_OTLP_ENDPOINT', base).replace(/\/+$/, '')}/v1/traces`;
  return null;
}

function httpUrl(variable: string, text: string): string {
  if (/^https?:\/\/\S+$/.test(text) && URL.canParse(text)) return text;
  throw new UserError(
    `${variable}: expected the http:// or https:// address of an OTLP collector, found ${JSON.stringify(text)}`,
  );
}

/** `key=value,key=value`, percent-encoded. */
function pairs(env: NodeJS.ProcessEnv, variable: string): Record<string, string> {
  const parts = (env[variable] ?? '').split(',').filter((part) => part.trim() !== '');
  return Object.fromEntries(
    parts.map((part) => {
      const [key, value] = part.split(/=(.*)/s);
      // Headers hold keys: what was found is not repeated.
      if (!key || value === undefined) throw new UserError(`${variable}: expected key=value, separated by commas`);
      return [key.trim(), decoded(value.trim())];
    }),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
