import { connect, isIP } from 'node:net';
import { type ConnectionOptions, connect as connectInTls } from 'node:tls';
import { withoutSecrets } from '../domain/secrets.ts';
import { keysOf, type TemporalTarget } from './temporal-target.ts';

const LOOK_MS = 5_000;
const USUAL_PORT = 7233;
const SETTINGS_FRAME = 4;

/** Our own codes, in addition to those of Node and OpenSSL. */
const NO_HTTP2 = 'NO_HTTP2';
const CLOSED = 'ECONNRESET';

/**
 * Why the server at an address cannot be used, and what to do. The SDK's clients only report a timeout, and its workers a
 * transport error, so this connects again to see how far it gets.
 *
 * @param said the SDK's own message, if there is nothing better to say
 */
export async function whyUnreachable(target: TemporalTarget, said: string): Promise<string> {
  const found = await look(target);
  const known = found === null ? undefined : REASONS.find(({ test }) => test(found, target));
  if (known !== undefined) return `the Temporal server at ${target.address} cannot be used from here: ${known.text}`;
  return `no Temporal server answers at ${target.address} (${lastLine(withoutSecrets(said, keysOf(target.options)))}). ${GET_ONE}`;
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

/** Message for a server that denies access, with what to check. */
export const notLetIn = (namespace: string, details: string): string =>
  `denied access to namespace ${JSON.stringify(namespace)}: ${details.replace(/\.$/, '')}. Check TEMPORAL_API_KEY, or the ` +
  'certificate in TEMPORAL_TLS_CLIENT_CERT_PATH, and their permissions (infra/iam/ lists the calls that each part makes)';
const GET_ONE = 'Start one with "npx pixart-batch dev", or set TEMPORAL_ADDRESS to an existing one';

type Reason = { test: (code: string, target: TemporalTarget) => boolean; text: string };

const hasCertificate = ({ options: { tls } }: TemporalTarget): boolean =>
  typeof tls === 'object' && tls?.clientCertPair !== undefined;

/** By error codes of Node and of OpenSSL. */
const REASONS: Reason[] = [
  {
    test: (code) => /^(SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_(VERIFY|GET_ISSUER))/.test(code),
    text:
      'its certificate comes from an authority that is not trusted here. If it is the right server, set TEMPORAL_TLS_SERVER_CA_CERT_PATH ' +
      "to a file with that authority's certificate",
  },
  {
    test: (code) => code === 'CERT_HAS_EXPIRED',
    text: 'its certificate has expired, and its operator has to renew it',
  },
  {
    test: (code) => code === 'ERR_TLS_CERT_ALTNAME_INVALID',
    text: 'its certificate is for another name. Check TEMPORAL_ADDRESS, or set TEMPORAL_TLS_SERVER_NAME to that name',
  },
  {
    test: (code) => /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|^EPROTO$/.test(code),
    text: 'it does not speak TLS, which an API key or TEMPORAL_TLS requires. Check TEMPORAL_ADDRESS, or unset these',
  },
  {
    test: (code, target) => isClosed(code) && !target.options.tls,
    text:
      'it closes the connection, as servers that require TLS do, and tunnels whose server is down. For TLS set TEMPORAL_API_KEY, ' +
      'TEMPORAL_TLS_CLIENT_CERT_PATH and …_KEY_PATH, or TEMPORAL_TLS=true; behind a tunnel, check that the server is running',
  },
  {
    test: (code, target) => isClosed(code) && hasCertificate(target),
    text: 'it rejects the client certificate in TEMPORAL_TLS_CLIENT_CERT_PATH. Is it the one for this server, and still valid?',
  },
  {
    test: isClosed,
    text: 'it closes the connection, as servers that require a client certificate do. Set TEMPORAL_TLS_CLIENT_CERT_PATH and …_KEY_PATH',
  },
  { test: (code) => code === 'ENOTFOUND', text: `there is no such host. ${GET_ONE}` },
];

function isClosed(code: string): boolean {
  return code === NO_HTTP2 || /ALERT|^ECONNRESET$|^EPIPE$/.test(code);
}

/** The start of HTTP/2: the connection preface, and an empty SETTINGS frame. */
const GREETING = Buffer.from('505249202a20485454502f322e300d0a0d0a534d0d0a0d0a000000040000000000', 'hex');

/**
 * Connects as the SDK would, and waits for the first bytes of an HTTP/2 server: in TLS 1.3 a client learns only then
 * that its certificate was refused. Node's own HTTP/2 client never reports that (seen with Node 20.20).
 *
 * @returns the error code; `null` if such a server answers, or nothing answers
 */
function look({ address, options: { tls } }: TemporalTarget): Promise<string | null> {
  return new Promise((resolve) => {
    const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? [];
    const to = { host: host ?? address, port: Number(port ?? USUAL_PORT) };
    const socket = tls ? connectInTls({ ...to, ...tlsOptions(to.host, tls) }) : connect(to);
    const tell = (code: string | null): void => {
      clearTimeout(deadline);
      socket.destroy();
      resolve(code);
    };
    const deadline = setTimeout(() => tell(null), LOOK_MS);
    socket.once(tls ? 'secureConnect' : 'connect', () => socket.write(GREETING));
    socket.once('data', (bytes: Buffer) => tell(bytes[3] === SETTINGS_FRAME ? null : NO_HTTP2));
    socket.on('error', (error: NodeJS.ErrnoException) => tell(error.code ?? null));
    socket.once('close', () => tell(CLOSED));
  });
}

type Tls = Exclude<TemporalTarget['options']['tls'], false | null | undefined>;

function tlsOptions(host: string, tls: Tls): ConnectionOptions {
  const { serverNameOverride, serverRootCACertificate, clientCertPair } = tls === true ? {} : tls;
  const servername = serverNameOverride ?? (isIP(host) === 0 ? host : undefined);
  return {
    ALPNProtocols: ['h2'],
    ...(servername !== undefined && { servername }),
    ...(serverRootCACertificate !== undefined && { ca: Buffer.from(serverRootCACertificate) }),
    ...(clientCertPair !== undefined && {
      cert: Buffer.from(clientCertPair.crt),
      key: Buffer.from(clientCertPair.key),
    }),
  };
}
