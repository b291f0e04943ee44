import { Client, Connection, isGrpcServiceError } from '@temporalio/client';
import { dataConverter } from '../connection/data-converter.ts';
import { GRPC } from '../connection/grpc.ts';
import { type TemporalTarget, temporalTarget } from '../connection/temporal-target.ts';
import { whyUnreachable } from '../connection/unreachable.ts';
import { UserError } from '../domain/user-error.ts';
import type { Keyring } from '../encryption/keyring.ts';
import { readKeyring } from '../encryption/read-keyring.ts';
import { startsTraces } from '../monitoring/tracing/client-interceptor.ts';
import { processTracer } from '../monitoring/tracing/tracer.ts';
import { actorText, thisActor } from '../records/audit-actor.ts';
import { SEARCH_ATTRIBUTES } from '../workflows/contract/search-attributes.ts';
import { grpcAnswer, isNotLetIn, noNamespace, serverTrouble } from './server-trouble.ts';
import { markUnreadable } from './unreadable.ts';

const CONNECT_TIMEOUT_MS = 5_000;

/** A connection to the server that runs batches; pass it to the other functions of this library. */
export type BatchClient = {
  readonly temporal: Client;
  /** The same for listings: marks values whose key is missing (see unreadable.ts) instead of failing. */
  readonly listings: Client;
  readonly namespace: string;
  readonly address: string;
  /** Encryption keys; `null` for no encryption. */
  readonly keyring: Keyring | null;
  /** Receives warnings: things that went wrong but stopped nothing. */
  readonly warn: (message: string) => void;
  close(): Promise<void>;
};

type ConnectOptions = { warn?: BatchClient['warn']; keyring?: Keyring | null | undefined };

/**
 * Connects, and checks that the server can run batches: it answers, the namespace exists and the search attributes are registered.
 *
 * @param options.warn receives warnings; default: a process warning
 * @param options.keyring keys to encrypt prompts and everything else with; default: from the environment. `null` for no encryption
 * @throws UserError that says what is missing, and what to do
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
  { warn = (message) => process.emitWarning(message), keyring }: ConnectOptions = {},
): Promise<BatchClient> {
  const keys = keyring === undefined ? await readKeyring() : keyring;
  const connection = Connection.lazy({
    address,
    connectTimeout: CONNECT_TIMEOUT_MS,
    ...options,
  });
  try {
    await checkReachable(connection, { address, namespace, options });
    await checkNamespace(connection, namespace, address);
    await checkSearchAttributes(connection, namespace, address);
  } catch (error) {
    await connection.close();
    throw serverTrouble({ address, namespace }, error) ?? error;
  }
  const tracer = processTracer();
  const interceptors = tracer === null ? {} : { workflow: [startsTraces(tracer)] };
  // Histories record this as the identity of the caller.
  const identity = actorText(thisActor());
  const temporal = new Client({ connection, namespace, interceptors, identity, dataConverter: dataConverter(keys) });
  const listings = new Client({ connection, namespace, dataConverter: dataConverter(keys, markUnreadable) });
  return {
    temporal,
    listings,
    namespace,
    address,
    keyring: keys,
    warn,
    async close() {
      await tracer?.flush();
      await connection.close();
    },
  };
}

async function checkReachable(connection: Connection, target: TemporalTarget): Promise<void> {
  try {
    await connection.ensureConnected();
  } catch (error) {
    if (isNotLetIn(error)) throw error;
    throw new UserError(await whyUnreachable(target, grpcAnswer(error)?.details ?? messageOf(error)));
  }
}

async function checkNamespace(connection: Connection, namespace: string, address: string): Promise<void> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === GRPC.NOT_FOUND)
      throw new UserError(noNamespace(address, namespace));
    throw error;
  }
}

/** A workflow that sets an unregistered search attribute stalls forever, so check before starting one. */
async function checkSearchAttributes(connection: Connection, namespace: string, address: string): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = SEARCH_ATTRIBUTES.filter(({ name }) => !Object.hasOwn(customAttributes, name));
  if (missing.length === 0) return;
  const flags = missing.map(({ name }) => `--name ${name} --type Int`).join(' ');
  throw new UserError(
    `the Temporal server at ${address} lacks search attributes that batches need: ${missing.map(({ name }) => name).join(', ')}. ` +
      `Register them with "temporal operator search-attribute create --address ${address} --namespace ${namespace} ${flags}"`,
  );
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
