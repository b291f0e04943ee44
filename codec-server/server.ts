import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { UserError } from '../domain/user-error.ts';
import { type AnswerOptions, answer } from './answer.ts';

export type CodecServerOptions = AnswerOptions & {
  host: string;
  /** 0 for any free port. */
  port: number;
  /** In PEM; default: plain HTTP. */
  tls?: { cert: Buffer; key: Buffer } | undefined;
};

export type CodecServer = {
  url: string;
  stop(): Promise<void>;
};

/** The time for a whole request, from its first byte to its last. */
const REQUEST_MS = 30_000;
const CONNECTIONS = 256;

/**
 * Starts a server that decodes payloads for Temporal's UI and command line.
 *
 * @throws UserError if it cannot listen there, or certificate and key cannot be used
 */
export async function startCodecServer(options: CodecServerOptions): Promise<CodecServer> {
  const { host, port, tls } = options;
  const server = createServer(tls, (request, response) => void answer(options, request, response));
  server.requestTimeout = REQUEST_MS;
  server.maxConnections = CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', ({ message }) =>
      reject(new UserError(`--listen: expected a free address on this machine, found ${message}`)),
    );
    server.listen(port, host, resolve);
  });
  return {
    url: urlOf(server.address() as AddressInfo, tls !== undefined),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function createServer(tls: CodecServerOptions['tls'], listener: RequestListener): Server {
  if (tls === undefined) return createHttpServer(listener);
  try {
    return createHttpsServer({ ...tls, minVersion: 'TLSv1.2' }, listener);
  } catch (error) {
    throw new UserError(
      `--tls-cert, --tls-key: expected a certificate and its key in PEM; OpenSSL refused what was found (${(error as Error).message})`,
    );
  }
}

const urlOf = ({ address, port, family }: AddressInfo, isTls: boolean): string =>
  `${isTls ? 'https' : 'http'}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
