import { isIP } from 'node:net';
import { ApplicationFailure, type Logger } from '@temporalio/common';
import { type Mail, MessageWaits, type SendMail } from '../activities/index.ts';
import { isMailAddress } from '../domain/receiver.ts';
import { UserError } from '../domain/user-error.ts';

/** A mail server, and who the mails are from. */
type MailSettings = {
  host: string;
  port: number;
  /** TLS from the first byte; otherwise STARTTLS, if the server offers it. */
  secure: boolean;
  auth: { user: string; pass: string } | undefined;
  from: string;
};

/** Submission with STARTTLS, and with TLS from the start. */
const PORTS = { 'smtp:': 587, 'smtps:': 465 };

const CONNECT_MS = 15_000;
const SILENCE_MS = 60_000;

/**
 * Reads `PIXART_SMTP_URL` and `PIXART_MAIL_FROM`; `null` if there is no mail server.
 *
 * @throws UserError, without the password, if one of the two is missing or invalid
 */
export function mailSettings({
  PIXART_SMTP_URL: server,
  PIXART_MAIL_FROM: from,
}: NodeJS.ProcessEnv): MailSettings | null {
  if (!server) return null;
  const url = URL.canParse(server) ? new URL(server) : null;
  const usual = url && PORTS[url.protocol as keyof typeof PORTS];
  if (
    !url ||
    !usual ||
    url.hostname === '' ||
    !['', '/'].includes(url.pathname) ||
    url.search !== '' ||
    url.hash !== ''
  ) {
    throw new UserError(
      'PIXART_SMTP_URL: expected smtp://user:password@host:587 or smtps://user:password@host:465, with characters such as @ and / in user and ' +
        'password percent-encoded, and nothing after the port; found something else',
    );
  }
  if (!from || !isMailAddress(from)) {
    throw new UserError(
      `PIXART_MAIL_FROM: expected the sender's address, such as pixart@studio.example, found ${from ? JSON.stringify(from) : 'none'}`,
    );
  }
  const [user, pass] = [decoded(url.username), decoded(url.password)];
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? usual : Number(url.port),
    secure: url.protocol === 'smtps:',
    auth: user === '' ? undefined : { user, pass },
    from,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new UserError(
      'PIXART_SMTP_URL: expected user and password percent-encoded, found a % without two hexadecimal digits',
    );
  }
}

/**
 * Sends mails by a server. A password goes through an encrypted connection only, unless the server is on this machine.
 *
 * @param log gets a warning if a mail reached only some of its recipients
 */
export async function createMailer(
  { host, port, secure, auth, from }: MailSettings,
  log: Pick<Logger, 'warn'>,
): Promise<SendMail> {
  // Loaded late: most workers send none.
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    ...{ host, port, secure, auth },
    requireTLS: auth !== undefined && !isLoopback(host),
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    // Parts of a mail are passed in, never fetched.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return async (mail) => {
    const { rejected } = await transport.sendMail(asSent(mail, from)).catch((error: unknown) => {
      throw failureOf(error, `${host}:${port}`);
    });
    if (rejected.length > 0) log.warn(rejectionText(rejected, mail.to.length, `${host}:${port}`));
  };
}

const asSent = ({ to, subject, text, html, messageId, date, picture }: Mail, from: string) => ({
  from: { name: 'pixart-batch', address: from },
  ...{ to, subject, text, html, messageId, date },
  // No out-of-office note comes back.
  headers: { 'Auto-Submitted': 'auto-generated' },
  attachments:
    picture === null
      ? []
      : [
          {
            filename: `${picture.cid}.jpg`,
            content: Buffer.from(picture.jpeg),
            contentType: 'image/jpeg',
            contentDisposition: 'inline' as const,
            cid: picture.cid,
          },
        ],
});

type SmtpError = { code?: string; command?: string; responseCode?: number };

/** Sending it again would reach the others twice. Logs have no addresses of people. */
function rejectionText(rejected: readonly string[], recipients: number, server: string): string {
  const domains = new Set(rejected.map((address) => address.slice(address.lastIndexOf('@') + 1)));
  return `mail: ${server} refused ${rejected.length} of ${recipients} recipients, at ${[...domains].join(', ')}; only the others received it`;
}

/** A server's answer may contain the user's name: only its code is reported. */
function failureOf(error: unknown, server: string): Error {
  const { code = 'unknown', command, responseCode } = error as SmtpError;
  const answer = responseCode === undefined ? code : `${code} (${responseCode})`;
  // If every recipient is refused, that is final; a refused sender is for the operator to fix.
  if (code === 'EENVELOPE' && command === 'RCPT TO' && responseCode !== undefined && responseCode >= 500) {
    return ApplicationFailure.nonRetryable(`mail: ${server} refused all recipients: ${answer}`, 'MailRefused');
  }
  return new MessageWaits(`mail: ${server} did not accept it: ${answer}`);
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
