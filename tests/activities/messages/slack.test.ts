import type { KnownBlock } from '@slack/types';
import { expect, test } from 'vitest';
import { slackMessage } from '../../../activities/messages/slack.ts';
import { HOSTILE, hostileMessage, usualMessage } from './hostile-message.ts';

/** Every text object of a message, and how it would be read. */
function texts(value: unknown): { type: string; text: string }[] {
  if (value === null || typeof value !== 'object') return [];
  const { type, text } = value as { type?: unknown; text?: unknown };
  const own = typeof type === 'string' && typeof text === 'string' ? [{ type, text }] : [];
  return [...own, ...Object.values(value).flatMap(texts)];
}

const blocksOf = (type: KnownBlock['type'], blocks: KnownBlock[]) => blocks.filter((block) => block.type === type);

test('a message keeps the limits of Block Kit, whatever is in it', () => {
  const { blocks, text } = slackMessage(hostileMessage());
  expect(blocks.length).toBeLessThanOrEqual(50);
  expect(text.length).toBeLessThanOrEqual(3_000);
  for (const block of blocks) {
    if (block.type === 'header') expect(block.text.text.length).toBeLessThanOrEqual(150);
    if (block.type === 'section') {
      for (const field of block.fields ?? []) expect(field.text.length).toBeLessThanOrEqual(2_000);
      expect(block.fields?.length ?? 1).toBeLessThanOrEqual(10);
      expect(block.text?.text.length ?? 0).toBeLessThanOrEqual(3_000);
    }
    if (block.type === 'context') expect(block.elements.length).toBeLessThanOrEqual(10);
    if (block.type === 'image' && 'image_url' in block) {
      expect(block.image_url.length).toBeLessThanOrEqual(3_000);
      expect(block.alt_text.length).toBeLessThanOrEqual(2_000);
    }
  }
  for (const { text } of texts(blocks)) expect(text.length).toBeGreaterThan(0);
  expect(Buffer.byteLength(JSON.stringify(blocks))).toBeLessThan(40_000);
});

test("nothing that a batch, a catalog or an error says is read as Slack's markup", () => {
  const { blocks, text, mrkdwn } = slackMessage(hostileMessage());
  expect(new Set(texts(blocks).map(({ type }) => type))).toEqual(new Set(['plain_text', 'text', 'link']));
  expect(JSON.stringify(blocks)).not.toContain('"emoji":true');
  expect(text).toContain('&lt;!channel&gt; &lt;@U123&gt;');
  expect(text).not.toMatch(/[<>]|\n/);
  expect(mrkdwn).toBe(false);
  // Within rich text and plain text it stands as it was written, on one line.
  expect(JSON.stringify(blocks)).toContain(JSON.stringify(HOSTILE.split('\r\n')[0]!.trim()).slice(1, -1));
});

test('a usual night says what came of it, what failed and why, and the nights before', () => {
  const { blocks } = slackMessage(usualMessage);
  expect(blocks.map(({ type }) => type)).toEqual(['header', 'section', 'rich_text', 'rich_text', 'rich_text']);
  const said = texts(blocks).map(({ text }) => text);
  expect(said).toContain('Cost\n2.58, planned about 2.42');
  expect(said).toContain('2 × OutOfMemory: not enough memory on the device for 2048 px (castle-at-dusk, harbour_old)');
  expect(said).toContain('2026-11-28 22:00 +01:00: completed, 1 failed, 119 of 120');
  expect(blocksOf('image', blocks)).toEqual([]);
});
