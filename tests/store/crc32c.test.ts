import { CRC32C } from '@google-cloud/storage';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Crc32c, crc32c } from '../../store/crc32c.ts';

const hex = (base64: string) => Buffer.from(base64, 'base64').toString('hex');

test.each([
  ['zeros', new Uint8Array(32), '8a9136aa'],
  ['ones', new Uint8Array(32).fill(255), '62a8ab43'],
  ['rising', Uint8Array.from({ length: 32 }, (_, at) => at), '46dd794e'],
  ['falling', Uint8Array.from({ length: 32 }, (_, at) => 31 - at), '113fdb5c'],
])('gives the value of RFC 3720, appendix B.4, for 32 bytes of %s', (_, data, expected) => {
  expect(hex(crc32c(data))).toBe(expected);
});

test("agrees with Google's own class, however the bytes are split", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (data, cut) => {
      const [ours, theirs] = [new Crc32c(), new CRC32C()];
      ours.update(data.subarray(0, cut));
      ours.update(data.subarray(cut));
      theirs.update(Buffer.from(data));
      expect(ours.toString()).toBe(theirs.toString());
      expect(ours.validate(crc32c(data))).toBe(true);
    }),
  );
});
