import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export type ReceivedMail = { from: string; to: string[]; raw: string; mail: ParsedMail };

/** A real SMTP server on this machine, which keeps what it is given. */
export type MailServer = { host: string; port: number; received: ReceivedMail[]; stop(): Promise<void> };

/** @param options such as what it refuses; without any it takes everything from everybody */
export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const received: ReceivedMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    hideSTARTTLS: true,
    async onData(stream, { envelope }, done) {
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      const raw = Buffer.concat(chunks);
      const { mailFrom, rcptTo } = envelope;
      received.push({
        from: mailFrom === false ? '' : mailFrom.address,
        to: rcptTo.map(({ address }) => address),
        raw: raw.toString('latin1'),
        mail: await simpleParser(raw),
      });
      done();
    },
    ...options,
  });
  // A client that goes away while it is refused is none of our business.
  server.on('error', () => {});
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return {
    host: '127.0.0.1',
    port: (listening.address() as AddressInfo).port,
    received,
    stop: () => new Promise((stopped) => server.close(() => stopped())),
  };
}
