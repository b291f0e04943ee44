import { connect, createServer, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';

export type Refusal = { code: number; details: string };

/**
 * What companies put before a server: passes calls on, and answers those with a refusal whose names it is given. A server that runs on
 * this machine lets everybody do everything.
 */
export async function startGateway(address: string, refusal: (call: string) => Refusal | null) {
  const server = createServer();
  const behind = connect(`http://${address}`);
  server.on('stream', (stream, headers) => {
    const refused = refusal(headers[':path']!.split('/').at(-1)!);
    if (refused !== null) {
      const status = { 'grpc-status': String(refused.code), 'grpc-message': encodeURIComponent(refused.details) };
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...status }, { endStream: true });
      return;
    }
    const onward = behind.request({ ...headers, ':authority': address });
    let trailers: IncomingHttpHeaders = {};
    onward.on('trailers', (found) => {
      trailers = found;
    });
    onward.on('response', (found, flags) => {
      // NGHTTP2_FLAG_END_STREAM: an answer without a body has its trailers in front.
      if (flags & 1) return stream.respond(found, { endStream: true });
      stream.respond(found, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      onward.pipe(stream);
    });
    onward.on('error', () => stream.destroy());
    stream.on('error', () => onward.destroy());
    stream.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop(): void {
      behind.destroy();
      server.close();
    },
  };
}
