import { expect, test } from 'vitest';
import { channelOf, channelVariable, chatUrls, receiverOf } from '../../domain/receiver.ts';
import { UserError } from '../../domain/user-error.ts';

test('a receiver is a URL, a Slack or Teams channel, or mail addresses', () => {
  expect(receiverOf('https://hooks.studio.example/x')).toMatchObject({ kind: 'webhook' });
  expect(receiverOf('slack')).toEqual({ kind: 'slack', name: null });
  expect(receiverOf('teams:night-shift')).toEqual({ kind: 'teams', name: 'night-shift' });
  expect(receiverOf("mailto:lead@studio.example,o'neil+art@mail.studio.example")).toEqual({
    kind: 'mail',
    to: ['lead@studio.example', "o'neil+art@mail.studio.example"],
  });
});

test.each([
  ...['mailto:', 'mailto:lead', 'mailto:lead@localhost', 'mailto:lead@studio.example?cc=all@studio.example'],
  ...['mailto:lead@studio.example\r\nBcc: all@studio.example', 'mailto:a@b.example,', 'mailto:"Lead" <a@b.example>'],
  ...[
    'mailto:a@b.example\n',
    'mailto:.a@b.example',
    'mailto:a..b@b.example',
    'mailto:a@-b.example',
    'mailto:@b.example',
  ],
  ...[
    'mailto:ä@b.example',
    `mailto:${'a'.repeat(250)}@b.example`,
    'mailto:a%0d%0a@b.example',
    'mailto:a@b.example;c@b.example',
  ],
  ...[
    'slack:',
    'slack:Art',
    'slack:a_b',
    'slack:../x',
    'teams:x y',
    `slack:${'a'.repeat(60)}`,
    'slack:art\n',
    'discord',
  ],
])('%j is not a receiver', (text) => {
  expect(() => receiverOf(text)).toThrow(UserError);
});

test('up to twenty mail addresses are accepted', () => {
  const addresses = Array.from({ length: 21 }, (_, index) => `a${index}@studio.example`);
  expect(receiverOf(`mailto:${addresses.slice(1).join()}`)).toMatchObject({ kind: 'mail' });
  expect(() => receiverOf(`mailto:${addresses.join()}`)).toThrow('expected at most 20 addresses, found 21');
});

test('a URL that is itself a secret is rejected without being repeated', () => {
  const refused = () => receiverOf('https://hooks.slack.com/services/T0/B0/hunter2');
  expect(refused).toThrow('Set PIXART_SLACK_URL where orchestrators run, and use --webhook slack');
  expect(refused).not.toThrow(/hunter2/);
  expect(() => receiverOf('https://hooks.slack.com./services/T0/B0/hunter2')).toThrow('PIXART_SLACK_URL');
});

test.each([
  'https://0a.1b.environment.api.powerplatform.com:443/powerautomate/automations/direct/workflows/7/triggers/manual/paths/invoke?sig=hunter2',
  'https://prod-07.westeurope.logic.azure.com:443/workflows/7/triggers/manual/paths/invoke?sig=hunter2',
  'https://prod-07.westeurope.logic.azure.com.:443/workflows/7/triggers/manual/paths/invoke?sig=hunter2',
  'https://studio.webhook.office.com/webhookb2/hunter2',
  'https://outlook.office.com/webhook/hunter2',
])('%s is rejected as the secret URL of a Teams channel', (address) => {
  expect(() => receiverOf(address)).toThrow('Set PIXART_TEAMS_URL where orchestrators run, and use --webhook teams');
  expect(() => receiverOf(address)).not.toThrow(/hunter2/);
});

test.each(['https://outlook.office.com/mail', 'https://logic.azure.com.studio.example/x', 'https://slack.com/x'])(
  '%s is a URL like any other',
  (address) => {
    expect(receiverOf(address)).toMatchObject({ kind: 'webhook' });
  },
);

test('a channel that only later versions know has no variable here, and is named as it is', () => {
  expect(channelVariable('pager')).toBe('the settings for "pager"');
});

test('each channel has its own variable, by which it is found in an environment', () => {
  const env = {
    PIXART_SLACK_URL: 'https://a',
    PIXART_SLACK_URL_NIGHT_SHIFT: 'https://b',
    PIXART_TEAMS_URL_ART: 'https://c',
  };
  expect(Object.fromEntries(chatUrls({ ...env, PIXART_TEAMS_URL: '', PIXART_SLACK_URLS: 'no' }))).toEqual({
    slack: 'https://a',
    'slack-night-shift': 'https://b',
    'teams-art': 'https://c',
  });
  const receivers = ['slack', 'slack:night-shift', 'teams:art', 'mailto:a@b.example', 'https://b.example'];
  expect(receivers.map(channelOf)).toEqual(['slack', 'slack-night-shift', 'teams-art', 'mail', 'webhook']);
  expect(receivers.map(channelOf).map(channelVariable)).toEqual([
    ...Object.keys(env),
    ...['PIXART_SMTP_URL with PIXART_MAIL_FROM', 'PIXART_WEBHOOK_SECRET'],
  ]);
});
