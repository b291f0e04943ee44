/** ONNX files by hand, field by field, so that a test can say what no exporter writes. */

export const field = (number: number, content: Uint8Array | string): Buffer => {
  const bytes = Buffer.from(content);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
};

export const number = (at: number, value: number): Buffer => Buffer.concat([varint(at * 8), varint(value)]);

export const message = (...fields: Uint8Array[]): Buffer => Buffer.concat(fields);

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; bytes.length === 0 || rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
  }
  return Buffer.from(bytes);
}

/** A tensor, TensorProto, that lies elsewhere. */
export const elsewhere = (location: string, entries: Record<string, string> = {}): Buffer =>
  message(
    number(2, 1),
    ...Object.entries({ location, ...entries }).map(([key, value]) =>
      field(13, message(field(1, key), field(2, value))),
    ),
    number(14, 1),
  );

/** The fields of a message, each with its own bytes and, where it holds bytes, those. */
export function split(bytes: Buffer): { number: number; whole: Buffer; content: Buffer }[] {
  const fields = [];
  for (let at = 0; at < bytes.length; ) {
    const start = at;
    const next = (): number => {
      let value = 0;
      for (let shift = 1; ; shift *= 128) {
        const byte = bytes[at++]!;
        value += (byte & 127) * shift;
        if (byte < 128) return value;
      }
    };
    const tag = next();
    const length = tag % 8 === 2 ? next() : 0;
    const content = bytes.subarray(at, at + length);
    if (tag % 8 === 0) next();
    at += tag % 8 === 5 ? 4 : length;
    fields.push({ number: Math.floor(tag / 8), whole: bytes.subarray(start, at), content });
  }
  return fields;
}
