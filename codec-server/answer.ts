import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PayloadCodec } from '@temporalio/common';
import { KeyMissing } from '../encryption/keyring.ts';
import type { Access } from './access.ts';
import { BodyTooLarge, bodyOf } from './body.ts';
import { decodePayloads, payloadsOf } from './payload-json.ts';
import { showSignIn, signIn } from './sign-in.ts';

export type AnswerOptions = {
  codec: PayloadCodec;
  access: Access;
  /** The origins of Temporal's UI, as browsers send them; pages from other origins are refused. */
  origins: readonly string[];
  log: { info(about: object, message: string): void; warn(about: object, message: string): void };
};

/** The UI sends the payloads of one event or one page at a time. Temporal's messages have at most 4 MB, or 6 MB in base64. */
const LARGEST_BODY_BYTES = 8 * 2 ** 20;

/** The UI always sends the first two, and the others if it is configured to pass on its user's tokens. */
const REQUEST_HEADERS = 'Content-Type, X-Namespace, Authorization, Authorization-Extras';
const PREFLIGHT_SECONDS = 600;

/**
 * Implements Temporal's protocol for codec servers: `POST /decode` or `/<namespace>/decode` with `{ payloads }`, after
 * a browser's preflight. It does not encode: readers need not be able to start or signal anything. Never rejects.
 */
export async function answer(
  options: AnswerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { origins, log } = options;
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Vary', 'Origin');
  try {
    if (!isFromOutside(request, origins)) return await route(options, request, response);
    refuse(
      response,
      403,
      `expected a page at ${origins.join(' or ')}, found one at ${request.headers.origin}; --ui names others`,
    );
  } catch (error) {
    if (error instanceof BodyTooLarge) return refuse(response, 413, error.message);
    if (request.socket.destroyed) return;
    log.warn({ err: error }, 'a request could not be answered');
    refuse(response, 500, 'the codec server failed; its log says why');
  }
}

/** The command line sends no origin, and our own pages have our host. */
function isFromOutside({ headers: { origin, host } }: IncomingMessage, origins: readonly string[]): boolean {
  if (origin === undefined || origins.includes(origin)) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}

async function route(options: AnswerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [pathname = ''] = (request.url ?? '').split('?');
  if (/^(\/[^/]+)?\/decode$/.test(pathname)) {
    allowOrigin(request, response, options.origins);
    if (request.method === 'OPTIONS') return preflight(response);
    if (request.method === 'POST') return decode(options, request, response);
    return refuseMethod(request, response, 'POST, OPTIONS');
  }
  if (pathname === '/' && options.access.hasSignIn) {
    if (request.method === 'GET') return showSignIn(options, request, response);
    if (request.method === 'POST') return signIn(options, request, response);
    return refuseMethod(request, response, 'GET, POST');
  }
  refuse(response, 404, `expected /decode, found ${pathname}`);
}

function allowOrigin(
  { headers: { origin } }: IncomingMessage,
  response: ServerResponse,
  origins: readonly string[],
): void {
  if (origin === undefined || !origins.includes(origin)) return;
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Access-Control-Allow-Credentials', 'true');
}

function preflight(response: ServerResponse): void {
  response.setHeader('Access-Control-Allow-Methods', 'POST');
  response.setHeader('Access-Control-Allow-Headers', REQUEST_HEADERS);
  response.setHeader('Access-Control-Max-Age', PREFLIGHT_SECONDS);
  response.writeHead(204).end();
}

async function decode(options: AnswerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { access, codec, log } = options;
  const caller = await access.caller(request.headers);
  if (caller === null) {
    response.setHeader('WWW-Authenticate', 'Bearer');
    return refuse(response, 401, access.expected);
  }
  const asked = payloadsOf(await bodyOf(request, LARGEST_BODY_BYTES));
  if (asked === null)
    return refuse(response, 400, 'expected {"payloads": [...]} in Protobuf\'s JSON, found something else');
  const namespace = request.headers['x-namespace'];
  const decoded = await decodePayloads(asked, codec, (error) => {
    log.warn(
      { caller, namespace, reason: (error as Error).message },
      error instanceof KeyMissing ? 'a key is missing' : 'a payload is damaged',
    );
  });
  log.info({ caller, namespace, payloads: asked.payloads.length }, 'decoded');
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(decoded));
}

function refuseMethod({ method }: IncomingMessage, response: ServerResponse, allowed: string): void {
  response.setHeader('Allow', allowed);
  refuse(response, 405, `expected ${allowed}, found ${method}`);
}

/** The request's body may not have been read to its end, so the connection is closed. */
function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json', Connection: 'close' });
  response.end(JSON.stringify({ message }));
}
