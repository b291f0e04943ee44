import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { JwtOptions } from '../../codec-server/access.ts';
import { HOW_TO_MAKE_A_TOKEN, readToken } from '../../codec-server/read-token.ts';
import { UserError } from '../../domain/user-error.ts';
import { readKeyring } from '../../encryption/read-keyring.ts';
import { LOG_FORMATS, type LogFormat, usualLogFormat } from '../../workers/log-format.ts';
import { printLine } from '../display/output.ts';
import { interruption } from '../interruption.ts';
import { listenAddress } from '../options/values.ts';

type CodecServerOptions = {
  listen: string;
  ui?: string[];
  jwtIssuer?: string;
  jwtAudience?: string;
  jwks?: URL;
  tlsCert?: string;
  tlsKey?: string;
  log?: LogFormat;
};

const examples = `
Callers need the token (PIXART_CODEC_TOKEN_FILE or PIXART_CODEC_TOKEN), or one from an identity provider (--jwt-…). Keys are read from
the same variables as on workers: PIXART_ENCRYPTION_KEY_FILE, PIXART_ENCRYPTION_KEYS or PIXART_ENCRYPTION_KEY_COMMAND.
A Temporal UI without sign-in sends no token: open the codec server's own address in the same browser, sign in there, and turn on
"Include cross-origin credentials" in the UI's codec server settings. A UI with sign-in passes its user's token on, to https:// only.

Examples:
  $ npx pixart-batch codec-server --listen 0.0.0.0:8443 --tls-cert cert.pem --tls-key key.pem --ui https://temporal.example.com \\
      --jwt-issuer https://id.example.com/ --jwt-audience temporal --jwks https://id.example.com/.well-known/jwks.json
  $ openssl rand -base64 32 > codec-token && chmod 600 codec-token
  $ PIXART_CODEC_TOKEN_FILE=codec-token npx pixart-batch codec-server
  $ temporal workflow show --workflow-id batch/tonight --codec-endpoint http://127.0.0.1:8234 --codec-auth "Bearer $(cat codec-token)"
`;

export const codecServerCommand = (): Command =>
  new Command('codec-server')
    .addOption(
      new Option('--listen <host:port>', 'address to listen on').argParser(listenAddress).default('127.0.0.1:8234'),
    )
    .addOption(
      new Option(
        '--ui <origin>',
        'origin of Temporal\'s UI, such as https://temporal.example.com; repeatable; default: the UI of a "dev"',
      ).argParser(origins),
    )
    .option('--jwt-issuer <issuer>', 'identity provider whose users may see prompts (iss of their tokens)')
    .option('--jwt-audience <audience>', 'audience of the tokens (aud)')
    .addOption(new Option('--jwks <url>', "URL of the identity provider's public keys").argParser(keysUrl))
    .option('--tls-cert <file>', 'serve TLS with this certificate, in PEM')
    .option('--tls-key <file>', "the certificate's private key, in PEM")
    .addOption(new Option('--log <format>', 'format of the log: json, or text for people').choices(LOG_FORMATS))
    .addHelpText('after', examples)
    .action(serve);

/** The UI of the server that `dev` starts. To a browser, these two are different origins. */
const DEV_UI = ['http://127.0.0.1:8233', 'http://localhost:8233'];

async function serve(options: CodecServerOptions): Promise<void> {
  const signal = interruption();
  const keyring = await readKeyring();
  if (keyring === null) {
    throw new UserError(
      'expected encryption keys, found none. Set PIXART_ENCRYPTION_KEY_FILE, PIXART_ENCRYPTION_KEYS or PIXART_ENCRYPTION_KEY_COMMAND, as for workers',
    );
  }
  const [token, jwt, tls] = [await readToken(), jwtOf(options), await tlsOf(options)];
  if (token === null && jwt === null) {
    throw new UserError(
      `expected a token or an identity provider that says who may see prompts, found neither. Set PIXART_CODEC_TOKEN_FILE to a file with a token, or give --jwt-issuer, --jwt-audience and --jwks. ${HOW_TO_MAKE_A_TOKEN}`,
    );
  }
  const [{ startCodecServer }, { Access }, { EncryptionCodec }, { createLog }] = await Promise.all([
    import('../../codec-server/server.ts'),
    import('../../codec-server/access.ts'),
    import('../../encryption/payload-codec.ts'),
    import('../../workers/logging.ts'),
  ]);
  const log = createLog('codec-server', options.log ?? usualLogFormat());
  const [, host, port] = /^(.+):(\d+)$/.exec(options.listen)!;
  const server = await startCodecServer({
    codec: new EncryptionCodec(keyring),
    access: new Access({ token, jwt }),
    origins: options.ui ?? DEV_UI,
    host: host!.replace(/^\[|\]$/g, ''),
    port: Number(port),
    tls,
    log,
  });
  if (tls === undefined && !isLoopback(host!)) {
    log.warn(
      { listen: options.listen },
      'without --tls-cert, prompts and tokens are sent unencrypted: let only a TLS proxy reach this address',
    );
  }
  printLine(`codec server  ${server.url}`);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await server.stop();
}

const isLoopback = (host: string): boolean => host.startsWith('127.') || host === '[::1]';

/** @throws UserError if some of the three are missing */
function jwtOf({ jwtIssuer, jwtAudience, jwks }: CodecServerOptions): JwtOptions | null {
  if (jwtIssuer !== undefined && jwtAudience !== undefined && jwks !== undefined) {
    return { issuer: jwtIssuer, audience: jwtAudience, jwks };
  }
  const given = { '--jwt-issuer': jwtIssuer, '--jwt-audience': jwtAudience, '--jwks': jwks };
  const missing = Object.entries(given).flatMap(([option, value]) => (value === undefined ? [option] : []));
  if (missing.length === Object.keys(given).length) return null;
  throw new UserError(
    `expected --jwt-issuer, --jwt-audience and --jwks together, found ${missing.map((option) => `no ${option}`).join(' and ')}`,
  );
}

/** @throws UserError if one of the two is missing, or cannot be read */
async function tlsOf({ tlsCert, tlsKey }: CodecServerOptions): Promise<{ cert: Buffer; key: Buffer } | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new UserError(
      `expected --tls-cert and --tls-key together, found no ${tlsCert === undefined ? '--tls-cert' : '--tls-key'}`,
    );
  }
  return { cert: await readPem('--tls-cert', tlsCert), key: await readPem('--tls-key', tlsKey) };
}

async function readPem(option: string, path: string): Promise<Buffer> {
  return readFile(path).catch((error) => {
    throw new UserError(`${option}: expected a file in PEM at ${path}, found none that can be read (${error.code})`);
  });
}

function origins(text: string, before: string[] = []): string[] {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw new InvalidArgumentError(
      'Expected the origin of the UI, without a path, such as https://temporal.example.com.',
    );
  }
  return [...before, url.origin];
}

/** Keys that someone could swap in transit prove nothing. */
function keysUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (
    url?.protocol === 'https:' ||
    (url?.protocol === 'http:' && isIP(url.hostname) === 4 && url.hostname.startsWith('127.'))
  ) {
    return url;
  }
  throw new InvalidArgumentError('Expected an https:// address, such as https://id.example.com/.well-known/jwks.json.');
}
