import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyMissing } from '../../encryption/keyring.ts';
import { EncryptionCodec, keyIdOf } from '../../encryption/payload-codec.ts';
import { SealBroken } from '../../encryption/sealed.ts';
import { keyring, lineOf } from './keys.ts';

const [older, newer] = [lineOf('older'), lineOf('newer')];
const codec = new EncryptionCodec(keyring(newer, older));

const value = fc.oneof(fc.jsonValue(), fc.uint8Array(), fc.constant(undefined));
const payload = value.map((any) => defaultPayloadConverter.toPayload(any));
const plain = ({ metadata, data }: Payload) => ({
  metadata: Object.entries(metadata ?? {}).map(([name, bytes]) => [name, Buffer.from(bytes)]),
  data: Buffer.from(data ?? []),
});

test('encoded payloads decode unchanged, and name the key that encrypted them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(payload), async (payloads) => {
      const encoded = await codec.encode(payloads);
      expect((await codec.decode(encoded)).map(plain)).toEqual(payloads.map(plain));
      for (const { metadata } of encoded) {
        expect(Buffer.from(metadata!.encoding!).toString()).toBe('binary/encrypted');
        expect(Buffer.from(metadata!['encryption-key-id']!).toString()).toBe(keyring(newer).current.id);
      }
    }),
  );
});

test('unencrypted payloads and those of other keys in the ring can be mixed with encrypted ones', async () => {
  const mixed = [
    ...(await codec.encode([defaultPayloadConverter.toPayload('new')])),
    ...(await new EncryptionCodec(keyring(older)).encode([defaultPayloadConverter.toPayload('old')])),
    ...(await new EncryptionCodec(null).encode([defaultPayloadConverter.toPayload('plain')])),
  ];
  expect(mixed.map(keyIdOf)).toEqual([keyring(newer).current.id, keyring(older).current.id, null]);
  const decoded = await codec.decode(mixed);
  expect(decoded.map((each) => defaultPayloadConverter.fromPayload(each))).toEqual(['new', 'old', 'plain']);
});

test('without the key nothing is decoded, and a replacement can be supplied', async () => {
  const encoded = await codec.encode([defaultPayloadConverter.toPayload('a fox')]);
  for (const ring of [null, keyring(older), keyring(lineOf('newer'))]) {
    await expect(new EncryptionCodec(ring).decode(encoded)).rejects.toThrow(KeyMissing);
    const marking = new EncryptionCodec(ring, ({ keyId }) => defaultPayloadConverter.toPayload(keyId));
    const [marked] = await marking.decode(encoded);
    expect(defaultPayloadConverter.fromPayload(marked!)).toBe(keyring(newer).current.id);
  }
});

test('changed bytes are refused', async () => {
  const [encoded] = await codec.encode([defaultPayloadConverter.toPayload('a fox')]);
  encoded!.data![encoded!.data!.length - 1]! ^= 1;
  await expect(codec.decode([encoded!])).rejects.toThrow(SealBroken);
  await expect(codec.decode([{ metadata: encoded!.metadata!, data: new Uint8Array() }])).rejects.toThrow(SealBroken);
});
