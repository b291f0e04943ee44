import {
  type ClientHttp2Session,
  connect,
  constants,
  createSecureServer,
  createServer,
  type IncomingHttpHeaders,
  type SecureServerOptions,
} from 'node:http2';
import type { AddressInfo } from 'node:net';

export type Refusal = { code: number; details: string };

/**
 * A gateway like those that companies put in front of a server: passes calls on, but refuses those that `refusal` names. The
 * local server itself refuses nothing.
 *
 * @param tls TLS settings; leave out for plain text
 */
export async function startGateway(
  address: string,
  refusal: (call: string, headers: IncomingHttpHeaders) => Refusal | null,
  tls?: SecureServerOptions,
) {
  const server = tls === undefined ? createServer() : createSecureServer(tls);
  let session: ClientHttp2Session | undefined;
  // The server closes idle and old connections.
  const behind = (): ClientHttp2Session => {
    if (session === undefined || session.closed || session.destroyed) {
      session = connect(`http://${address}`);
      session.on('error', () => {});
    }
    return session;
  };
  server.on('stream', (stream, headers) => {
    const refused = refusal(headers[':path']!.split('/').at(-1)!, headers);
    if (refused !== null) {
      const status = { 'grpc-status': String(refused.code), 'grpc-message': encodeURIComponent(refused.details) };
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...status }, { endStream: true });
      return;
    }
    const onward = behind().request({ ...headers, ':scheme': 'http', ':authority': address });
    let trailers: IncomingHttpHeaders = {};
    onward.on('trailers', (found) => {
      trailers = found;
    });
    onward.on('response', (found, flags) => {
      if (stream.destroyed) return;
      // NGHTTP2_FLAG_END_STREAM: a response without a body has its trailers in the headers.
      if (flags & 1) return stream.respond(found, { endStream: true });
      stream.respond(found, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      onward.pipe(stream);
    });
    onward.on('error', () => stream.destroy());
    // If a stream ends without a response, as when the server drops the connection, the caller has to be told.
    onward.on('close', () => {
      if (!stream.headersSent) stream.close(constants.NGHTTP2_REFUSED_STREAM);
    });
    stream.on('error', () => {});
    // A worker that ends cancels its polls; otherwise the server would still give them work.
    stream.on('close', () => onward.close(constants.NGHTTP2_CANCEL));
    stream.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop(): void {
      session?.destroy();
      server.close();
    },
  };
}
