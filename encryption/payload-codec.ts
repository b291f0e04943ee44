import { METADATA_ENCODING_KEY, type Payload, type PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { KeyMissing, type Keyring } from './keyring.ts';
import { seal, sealedWith, unseal } from './sealed.ts';

/** The names from Temporal's own samples, so that its UI and other tools recognise such payloads. */
const ENCODING = Buffer.from('binary/encrypted');
const KEY_ID = 'encryption-key-id';

const CONTEXT = 'temporal payload';

const { Payload: Proto } = proto.temporal.api.common.v1;

/** Supplies a replacement for a payload whose key is missing. May throw. */
export type WithoutKey = (missing: KeyMissing) => Payload;

const refuse: WithoutKey = (missing) => {
  throw missing;
};

/**
 * Encrypts all payloads for Temporal if there are keys, and decrypts encrypted ones. Unencrypted payloads are passed on
 * unchanged, so that batches from before there were keys continue.
 */
export class EncryptionCodec implements PayloadCodec {
  readonly #keyring: Keyring | null;
  readonly #withoutKey: WithoutKey;

  constructor(keyring: Keyring | null, withoutKey: WithoutKey = refuse) {
    this.#keyring = keyring;
    this.#withoutKey = withoutKey;
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    const keyring = this.#keyring;
    return keyring === null ? payloads : payloads.map((payload) => encrypted(payload, keyring));
  }

  /**
   * @throws KeyMissing unless the codec was created with a replacement
   * @throws SealBroken
   */
  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => (isEncrypted(payload) ? this.#decrypted(payload) : payload));
  }

  #decrypted({ data }: Payload): Payload {
    const sealed = data ?? new Uint8Array();
    try {
      if (this.#keyring === null) throw new KeyMissing(sealedWith(sealed));
      return Proto.decode(unseal(this.#keyring, sealed, CONTEXT));
    } catch (error) {
      if (error instanceof KeyMissing) return this.#withoutKey(error);
      throw error;
    }
  }
}

const encrypted = (payload: Payload, keyring: Keyring): Payload => ({
  metadata: { [METADATA_ENCODING_KEY]: ENCODING, [KEY_ID]: Buffer.from(keyring.current.id) },
  data: seal(keyring, Proto.encode(payload).finish(), CONTEXT),
});

const isEncrypted = ({ metadata }: Payload): boolean => {
  const encoding = metadata?.[METADATA_ENCODING_KEY];
  return encoding !== undefined && ENCODING.equals(encoding);
};

/** The id of the key that a payload needs; `null` if it is not encrypted. */
export const keyIdOf = (payload: Payload): string | null =>
  isEncrypted(payload) ? sealedWith(payload.data ?? new Uint8Array()) : null;
