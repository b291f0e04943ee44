import { isGrpcServiceError, NamespaceNotFoundError } from '@temporalio/client';
import { GRPC } from '../connection/grpc.ts';
import { notLetIn } from '../connection/unreachable.ts';
import { withoutSecrets } from '../domain/secrets.ts';
import { ServerUnreachable } from '../domain/user-error.ts';

/** The server's gRPC answer that made an SDK call fail; `undefined` for any other error. */
export function grpcAnswer(error: unknown): { code: number; details: string } | undefined {
  const causes = [error, error instanceof Error ? error.cause : undefined];
  return causes.find(isGrpcServiceError);
}

/** The gRPC code that made an SDK call fail; `undefined` for any other error. */
export const grpcCause = (error: unknown): number | undefined => grpcAnswer(error)?.code;

/** Whether the server denied access. */
export const isNotLetIn = (error: unknown): boolean =>
  [GRPC.PERMISSION_DENIED, GRPC.UNAUTHENTICATED].includes(grpcCause(error) ?? 0);

/** What is wrong with the server that made a call fail, and what to do; `null` if it is not the server's fault. */
export function serverTrouble(
  { address, namespace }: { address: string; namespace: string },
  error: unknown,
): ServerUnreachable | null {
  if (error instanceof NamespaceNotFoundError) return new ServerUnreachable(noNamespace(address, namespace));
  const answer = grpcAnswer(error);
  if (answer === undefined) return null;
  const { code } = answer;
  const details = withoutSecrets(answer.details);
  const server = `the Temporal server at ${address}`;
  switch (code) {
    case GRPC.PERMISSION_DENIED:
    case GRPC.UNAUTHENTICATED:
      return new ServerUnreachable(`${server} ${notLetIn(namespace, details)}`);
    case GRPC.UNIMPLEMENTED:
      return new ServerUnreachable(
        `${server} does not know this call: ${details}. Is it a Temporal server of 1.29 or later?`,
      );
    case GRPC.UNAVAILABLE:
    case GRPC.DEADLINE_EXCEEDED:
    case GRPC.RESOURCE_EXHAUSTED:
    case GRPC.UNKNOWN:
    case GRPC.INTERNAL:
    case GRPC.DATA_LOSS:
      return new ServerUnreachable(`${server} cannot answer: ${details}. ${remedy(details)}`);
    default:
      return null;
  }
}

export const noNamespace = (address: string, namespace: string): string =>
  `the Temporal server at ${address} has no namespace ${JSON.stringify(namespace)}. Create it with ` +
  `"temporal operator namespace create --address ${address} --namespace ${namespace}", or set TEMPORAL_NAMESPACE`;

/** A server opens the SQLite file of an earlier version without complaint (docs/decisions/083). */
const remedy = (details: string): string =>
  /no such (table|column)/.test(details)
    ? 'Its database was made by another version of the server: run that version on it, or move a state folder of "dev" with ' +
      '"npx pixart-batch upgrade-server"'
    : 'Try again when it is running; its log has details';
