import { Client, Connection, isGrpcServiceError } from '@temporalio/client';
import { keysOf, type TemporalTarget, temporalTarget } from '../connection/temporal-target.ts';
import { withoutSecrets } from '../domain/secrets.ts';
import { UserError } from '../domain/user-error.ts';
import { startsTraces } from '../monitoring/tracing/client-interceptor.ts';
import { processTracer } from '../monitoring/tracing/tracer.ts';
import { SEARCH_ATTRIBUTES } from '../workflows/contract/search-attributes.ts';

/** gRPC's numbers, as every gRPC library has them. */
export const GRPC = {
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  FAILED_PRECONDITION: 9,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
};

/** gRPC's number for what made an SDK call fail; `undefined` for any other error. */
export function grpcCause(error: unknown): number | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return isGrpcServiceError(cause) ? cause.code : undefined;
}

const CONNECT_TIMEOUT_MS = 5_000;

/** A connection to the server that runs batches; every function of this folder takes it. */
export type BatchClient = {
  readonly temporal: Client;
  readonly namespace: string;
  readonly address: string;
  close(): Promise<void>;
};

/**
 * Connects, and makes sure that the server can run batches: it answers, the namespace is there and the search attributes are registered.
 *
 * @throws UserError that says which of these is missing, and what to do
 * @example
 * ```js
 * import { connect, listBatches, temporalTarget } from 'pixart-batch';
 *
 * const client = await connect(temporalTarget({ namespace: 'default' }));
 * for await (const { batch, state, done, total } of listBatches(client)) {
 *   console.log(`${batch} is ${state}: ${done} of ${total}`);
 * }
 * await client.close();
 * ```
 */
export async function connect(
  { address, namespace, options }: TemporalTarget = temporalTarget(),
): Promise<BatchClient> {
  const connection = Connection.lazy({
    address,
    connectTimeout: CONNECT_TIMEOUT_MS,
    ...options,
  });
  try {
    await checkReachable(connection, address, options);
    await checkNamespace(connection, namespace, address);
    await checkSearchAttributes(connection, namespace, address);
  } catch (error) {
    await connection.close();
    throw error;
  }
  const tracer = processTracer();
  const interceptors = tracer === null ? {} : { workflow: [startsTraces(tracer)] };
  const temporal = new Client({ connection, namespace, interceptors });
  return {
    temporal,
    namespace,
    address,
    async close() {
      await tracer?.flush();
      await connection.close();
    },
  };
}

async function checkReachable(
  connection: Connection,
  address: string,
  options: TemporalTarget['options'],
): Promise<void> {
  try {
    await connection.ensureConnected();
  } catch (error) {
    throw new UserError(
      `no Temporal server answers at ${address} (${lastLine(withoutSecrets(messageOf(error), keysOf(options)))}). Start one with "npx pixart-batch dev", or set TEMPORAL_ADDRESS ` +
        'to the one you have',
    );
  }
}

async function checkNamespace(connection: Connection, namespace: string, address: string): Promise<void> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
  } catch (error) {
    if (!isGrpcServiceError(error)) throw error;
    if (error.code === GRPC.NOT_FOUND) {
      throw new UserError(
        `the Temporal server at ${address} has no namespace ${JSON.stringify(namespace)}. Create it with ` +
          `"temporal operator namespace create --address ${address} --namespace ${namespace}", or set TEMPORAL_NAMESPACE`,
      );
    }
    if (error.code === GRPC.PERMISSION_DENIED || error.code === GRPC.UNAUTHENTICATED) {
      throw new UserError(
        `the Temporal server at ${address} does not let us into namespace ${JSON.stringify(namespace)}: ${withoutSecrets(error.details)}. ` +
          'Check TEMPORAL_API_KEY, or the certificate in TEMPORAL_TLS_CLIENT_CERT_PATH',
      );
    }
    throw error;
  }
}

/** A workflow that sets an attribute which the server does not know stalls for ever, so this is known before one starts. */
async function checkSearchAttributes(connection: Connection, namespace: string, address: string): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = SEARCH_ATTRIBUTES.filter(({ name }) => !Object.hasOwn(customAttributes, name));
  if (missing.length === 0) return;
  const flags = missing.map(({ name }) => `--name ${name} --type Int`).join(' ');
  throw new UserError(
    `the Temporal server at ${address} lacks search attributes that batches set: ${missing.map(({ name }) => name).join(', ')}. ` +
      `Register them with "temporal operator search-attribute create --address ${address} --namespace ${namespace} ${flags}"`,
  );
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';
