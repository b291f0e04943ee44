import type { Payload, PayloadCodec } from '@temporalio/common';
import { z } from 'zod';

const base64 = z.base64();

/** Payloads in Protobuf's JSON, as Temporal's UI and command line send them. Other fields are kept. */
const payloadsSchema = z.object({
  payloads: z.array(z.looseObject({ metadata: z.record(z.string(), base64).default({}), data: base64.default('') })),
});

export type PayloadsJson = z.infer<typeof payloadsSchema>;
type PayloadJson = PayloadsJson['payloads'][number];

/** `null` if the text is not a list of payloads. */
export function payloadsOf(text: string): PayloadsJson | null {
  try {
    return payloadsSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/**
 * Decodes each payload. One that cannot be decoded is returned unchanged, so that the rest of an event is still readable.
 *
 * @param onFault called with the reason for each that could not be decoded
 */
export async function decodePayloads(
  { payloads }: PayloadsJson,
  codec: PayloadCodec,
  onFault: (error: unknown) => void,
): Promise<PayloadsJson> {
  const decodeOne = async (json: PayloadJson): Promise<PayloadJson> => {
    const payload = fromJson(json);
    try {
      const [decoded] = await codec.decode([payload]);
      return decoded === undefined || decoded === payload ? json : toJson(decoded);
    } catch (error) {
      onFault(error);
      return json;
    }
  };
  return { payloads: await Promise.all(payloads.map(decodeOne)) };
}

const fromJson = ({ metadata, data }: PayloadJson): Payload => ({
  metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value, 'base64')])),
  data: Buffer.from(data, 'base64'),
});

const toJson = ({ metadata, data }: Payload): PayloadJson => ({
  metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, encoded(value)])),
  data: encoded(data ?? new Uint8Array()),
});

const encoded = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
