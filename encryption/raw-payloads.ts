import type { LoadedDataConverter, Payload, ProtoFailure } from '@temporalio/common';
import {
  decodeOptionalFailureToOptionalError,
  decodeOptionalSinglePayload,
  encodeToPayload,
} from '@temporalio/common/lib/internal-non-workflow/index.js';

/** A client. Its SDK decodes most of a response itself, and leaves the rest as the server stores it. */
type Asked = { options: { loadedDataConverter: LoadedDataConverter } };

/** The value of a payload in a raw response. @throws KeyMissing, SealBroken */
export const rawValue = <T>({ options }: Asked, payload: Payload): Promise<T | null | undefined> =>
  decodeOptionalSinglePayload<T>(options.loadedDataConverter, payload);

/** The reverse: a value as the server stores it. */
export const rawPayload = ({ options }: Asked, value: unknown): Promise<Payload> =>
  encodeToPayload(options.loadedDataConverter, value);

/** The message of a failure in a raw response; empty if there is none. @throws KeyMissing, SealBroken */
export async function rawMessage({ options }: Asked, failure: ProtoFailure | null | undefined): Promise<string> {
  const error = await decodeOptionalFailureToOptionalError(options.loadedDataConverter, failure);
  return error?.message ?? '';
}
