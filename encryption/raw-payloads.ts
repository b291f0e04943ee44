import type { LoadedDataConverter, Payload, ProtoFailure } from '@temporalio/common';
import {
  decodeOptionalFailureToOptionalError,
  decodeOptionalSinglePayload,
  encodeToPayload,
} from '@temporalio/common/lib/internal-non-workflow/index.js';

/** What asked: its SDK decodes most of an answer by itself, and leaves the rest as the server keeps it. */
type Asked = { options: { loadedDataConverter: LoadedDataConverter } };

/** What a payload of a raw answer says. @throws KeyMissing, SealBroken */
export const rawValue = <T>({ options }: Asked, payload: Payload): Promise<T | null | undefined> =>
  decodeOptionalSinglePayload<T>(options.loadedDataConverter, payload);

/** A value as the server keeps it: the other way round. */
export const rawPayload = ({ options }: Asked, value: unknown): Promise<Payload> =>
  encodeToPayload(options.loadedDataConverter, value);

/** The message of a failure in a raw answer; empty where there is none. @throws KeyMissing, SealBroken */
export async function rawMessage({ options }: Asked, failure: ProtoFailure | null | undefined): Promise<string> {
  const error = await decodeOptionalFailureToOptionalError(options.loadedDataConverter, failure);
  return error?.message ?? '';
}
