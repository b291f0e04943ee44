import { UserError } from '../../domain/user-error.ts';

/**
 * Returns the collector's address from OpenTelemetry's standard variables, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or
 * OTEL_EXPORTER_OTLP_ENDPOINT, or `null` if neither is set. OTEL_SDK_DISABLED=true and OTEL_TRACES_EXPORTER=none switch
 * tracing off.
 *
 * The exporter reads the same variables, but without them it would try localhost, and it replaces an address that it
 * cannot parse by localhost too (version 0.223.1).
 *
 * @throws UserError if an endpoint is not an http:// or https:// address
 */
export function collectorAddress(env: NodeJS.ProcessEnv): string | null {
  if (env.OTEL_SDK_DISABLED === 'true' || env.OTEL_TRACES_EXPORTER === 'none') return null;
  const name = ENDPOINTS.find((endpoint) => env[endpoint]);
  if (name === undefined) return null;
  const address = env[name]!;
  if (/^https?:\/\/\S+$/.test(address) && URL.canParse(address)) return address;
  throw new UserError(
    `${name}: expected the http:// or https:// address of an OTLP collector, found ${JSON.stringify(address)}`,
  );
}

/** The first that is set applies. */
const ENDPOINTS = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'];
