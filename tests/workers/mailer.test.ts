import { afterEach, expect, test } from 'vitest';
import type { Mail } from '../../activities/index.ts';
import { UserError } from '../../domain/user-error.ts';
import { createMailer, mailSettings } from '../../workers/mailer.ts';
import { type MailServer, startMailServer } from './mail-server.ts';

const FROM = { PIXART_MAIL_FROM: 'pixart@studio.example' };

const mail: Mail = {
  to: ['lead@studio.example', 'art@studio.example'],
  subject: 'Batch näch<t> completed, 2 failed',
  text: 'Pictures: 118 of 120\n',
  html: '<p>118 of 120</p><img src="cid:thumbnails">',
  messageId: '<0123@studio.example>',
  date: new Date('2026-11-30T06:00:00Z'),
  picture: { cid: 'thumbnails', jpeg: Buffer.from([0xff, 0xd8, 0xff, 0xd9]) },
};

let server: MailServer;

afterEach(async () => {
  warnings.length = 0;
  await server?.stop();
});

const warnings: string[] = [];

const send = async (url: string, sent = mail) =>
  (
    await createMailer(mailSettings({ ...FROM, PIXART_SMTP_URL: url })!, {
      warn: (message) => warnings.push(message),
    })
  )(sent);

test('a mail has text, HTML and its picture, and is from whom the environment says', async () => {
  server = await startMailServer();
  await send(`smtp://127.0.0.1:${server.port}`);
  const [{ from, to, mail: found, raw }] = server.received as [(typeof server.received)[0]];
  expect({ from, to }).toEqual({ from: 'pixart@studio.example', to: mail.to });
  expect(found).toMatchObject({ subject: mail.subject, text: mail.text, messageId: mail.messageId, date: mail.date });
  expect(found.html).toContain('118 of 120');
  expect(found.attachments).toMatchObject([
    { cid: 'thumbnails', contentType: 'image/jpeg', contentDisposition: 'inline' },
  ]);
  expect([...found.attachments[0]!.content]).toEqual([...mail.picture!.jpeg]);
  expect(found.headers.get('auto-submitted')).toBe('auto-generated');
  expect(raw).toMatch(/^Content-Type: multipart\/(alternative|related)/m);
});

test('a subject with a line end in it makes no other header', async () => {
  server = await startMailServer();
  await send(`smtp://127.0.0.1:${server.port}`, { ...mail, subject: 'a\r\nBcc: all@evil.example\r\n\r\nbody' });
  const [{ to, mail: found }] = server.received as [(typeof server.received)[0]];
  expect(to).toEqual(mail.to);
  expect(found.bcc).toBeUndefined();
});

test('the server is told user and password, which errors do not tell', async () => {
  const logins: unknown[] = [];
  server = await startMailServer({
    authOptional: false,
    allowInsecureAuth: true,
    onAuth({ username, password }, _session, done) {
      logins.push([username, password]);
      if (password === 'p@ss/word') done(null, { user: username });
      else done(new Error(`Invalid login of ${username} with ${password}`));
    },
  });
  await send(`smtp://night%40studio:p%40ss%2Fword@127.0.0.1:${server.port}`);
  expect(logins).toEqual([['night@studio', 'p@ss/word']]);
  const refused = await send(`smtp://night%40studio:hunter2@127.0.0.1:${server.port}`).catch((error: unknown) => error);
  expect(refused).toMatchObject({
    name: 'MessageWaits',
    message: `mail: 127.0.0.1:${server.port} did not accept it: EAUTH (535)`,
  });
});

test('a password goes through no connection that is not encrypted, but to this machine', async () => {
  const logins: unknown[] = [];
  server = await startMailServer({
    allowInsecureAuth: true,
    onAuth: (auth, _session, done) => {
      logins.push(auth);
      done(null, { user: 'x' });
    },
  });
  // Another spelling of this machine, which does not look like it.
  const elsewhere = send(`smtp://night:hunter2@[::ffff:127.0.0.1]:${server.port}`);
  await expect(elsewhere).rejects.toThrow(/did not accept it: (ETLS|EPROTOCOL|ESOCKET)/);
  expect(logins).toEqual([]);
  expect(server.received).toEqual([]);
});

test('recipients that are refused for good end it; a server that is away or full does not', async () => {
  server = await startMailServer({
    onRcptTo: (_address, _session, done) => done(Object.assign(new Error('no such user'), { responseCode: 550 })),
  });
  await expect(send(`smtp://127.0.0.1:${server.port}`)).rejects.toMatchObject({
    type: 'MailRefused',
    nonRetryable: true,
  });
  await server.stop();
  server = await startMailServer({
    onRcptTo: (_address, _session, done) => done(Object.assign(new Error('mailbox is full'), { responseCode: 452 })),
  });
  await expect(send(`smtp://127.0.0.1:${server.port}`)).rejects.toMatchObject({ name: 'MessageWaits' });
  const { port } = server;
  await server.stop();
  await expect(send(`smtp://127.0.0.1:${port}`)).rejects.toMatchObject({ name: 'MessageWaits' });
  server = await startMailServer();
});

test('a sender whom the server does not take is waited for: it may be told to', async () => {
  server = await startMailServer({
    onMailFrom: (_address, _session, done) => done(Object.assign(new Error('not yours'), { responseCode: 550 })),
  });
  await expect(send(`smtp://127.0.0.1:${server.port}`)).rejects.toMatchObject({
    name: 'MessageWaits',
    message: expect.stringContaining('EENVELOPE (550)'),
  });
});

test('where one recipient of two is refused, the other has the mail, once, and the log says where the one is', async () => {
  server = await startMailServer({
    onRcptTo: ({ address }, _session, done) =>
      done(address.startsWith('art@') ? Object.assign(new Error('no such user'), { responseCode: 550 }) : undefined),
  });
  await send(`smtp://127.0.0.1:${server.port}`);
  expect(server.received.map(({ to }) => to)).toEqual([['lead@studio.example']]);
  expect(warnings).toEqual([
    `mail: 127.0.0.1:${server.port} refused 1 of 2 recipients, at studio.example; only the others received it`,
  ]);
});

test('a server is a URL without anything after its port, with the usual port of its kind', () => {
  const settings = (url: string) => mailSettings({ ...FROM, PIXART_SMTP_URL: url });
  expect(mailSettings({})).toBeNull();
  expect(settings('smtp://mail.studio.example')).toMatchObject({
    host: 'mail.studio.example',
    port: 587,
    secure: false,
  });
  expect(settings('smtps://a:b@mail.studio.example')).toMatchObject({
    port: 465,
    secure: true,
    auth: { user: 'a', pass: 'b' },
  });
  for (const url of [
    'mail.studio.example',
    'https://a.example',
    'smtp://a.example/x',
    'smtp://a.example?tls=no',
    'smtp://',
    'smtp://a:%@b.example',
  ]) {
    expect(() => settings(url), url).toThrow(UserError);
  }
  expect(() => settings('smtp:/user:hunter2@host')).not.toThrow(/hunter2/);
  expect(() => mailSettings({ PIXART_SMTP_URL: 'smtp://a.example' })).toThrow('PIXART_MAIL_FROM: expected the sender');
  expect(() => mailSettings({ PIXART_SMTP_URL: 'smtp://a.example', PIXART_MAIL_FROM: 'Pixart <a@b.example>' })).toThrow(
    UserError,
  );
});
