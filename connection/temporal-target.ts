import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { NativeConnectionOptions } from '@temporalio/worker';
import { withoutSecrets } from '../domain/secrets.ts';
import { UserError } from '../domain/user-error.ts';

/** A Temporal server, and how to connect to it. It may hold an API key and private keys: never log it as a whole. */
export type TemporalTarget = {
  address: string;
  namespace: string;
  options: Pick<NativeConnectionOptions, 'tls' | 'apiKey' | 'metadata'>;
};

/**
 * The server that this process uses: the given one, or else the one from the environment or Temporal's configuration file,
 * with the names of Temporal's own command line (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`,
 * `TEMPORAL_TLS_CLIENT_CERT_PATH`, `temporal.toml` …), or else a local one.
 *
 * @param otherwise address of the local one
 * @throws UserError if that configuration cannot be read, or an address is not `host:port`
 */
export function temporalTarget(
  given: { address?: string | undefined; namespace?: string | undefined } = {},
  env: NodeJS.ProcessEnv = process.env,
  otherwise = '127.0.0.1:7233',
): TemporalTarget {
  const { connectionOptions, namespace } = configured(env);
  const { address, tls, apiKey, metadata } = connectionOptions;
  if (given.address !== undefined) checkAddress(given.address, '--address');
  else checkAddress(address, 'TEMPORAL_ADDRESS, or the address in temporal.toml');
  if (isLocal(given.address) && address !== undefined && !isLocal(address)) {
    // A server on this machine was named, so the keys and namespace configured for the one elsewhere do not apply.
    return { address: given.address, namespace: given.namespace ?? 'default', options: {} };
  }
  return {
    address: given.address ?? address ?? otherwise,
    namespace: given.namespace ?? namespace ?? 'default',
    options: {
      ...(tls === undefined ? {} : { tls }),
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(metadata === undefined ? {} : { metadata }),
    },
  };
}

/** Secrets that a message about the connection must not contain. */
export const keysOf = ({ apiKey, metadata = {} }: TemporalTarget['options']): string[] =>
  [apiKey, ...Object.values(metadata)].filter((value) => typeof value === 'string');

const isLocal = (address: string | undefined): address is string =>
  address !== undefined && /^(127\.|localhost:|\[::1\]:)/.test(address);

/** Temporal's own libraries throw where nobody expects it, and not all of them accept the same. */
function checkAddress(address: string | undefined, where: string): void {
  if (address === undefined || isHostAndPort(address)) return;
  throw new UserError(
    `${where}: expected a host and port without https:// or a path, such as 127.0.0.1:7233, found ${JSON.stringify(address)}`,
  );
}

function isHostAndPort(address: string): boolean {
  const text = `grpc://${address}`;
  if (!URL.canParse(text)) return false;
  const { hostname, port, username, password, pathname, search, hash } = new URL(text);
  return hostname !== '' && port !== '0' && [username, password, pathname, search, hash].every((part) => part === '');
}

function configured(env: NodeJS.ProcessEnv) {
  const set = Object.entries(env).filter((entry): entry is [string, string] => Boolean(entry[1]));
  try {
    return loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(set) });
  } catch (error) {
    throw new UserError(
      `Temporal's configuration: ${withoutSecrets(error instanceof Error ? error.message : String(error))}`,
    );
  }
}
