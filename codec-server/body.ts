import type { IncomingMessage } from 'node:http';

export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
}

/** A request's body as text. @throws BodyTooLarge as soon as that is known */
export async function bodyOf(request: IncomingMessage, most: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const check = (found: number): void => {
    if (found > most) throw new BodyTooLarge(`expected at most ${most} bytes, found more`);
  };
  check(Number(request.headers['content-length'] ?? 0));
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    check(bytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
