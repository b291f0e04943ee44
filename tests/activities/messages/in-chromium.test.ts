import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { mailOf } from '../../../activities/messages/mail.ts';
import type { Message } from '../../../activities/messages/message.ts';
import { type AdaptiveCard, TEAMS_BYTES, teamsMessage } from '../../../activities/messages/teams.ts';
import { testBrowser } from '../../review-page/browser.ts';
import { HOSTILE, hostileMessage, usualMessage } from './hostile-message.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 400_000 });

/** Microsoft's own renderer of cards, whose parser says what a card has that it must not have, or lacks. */
const RENDERER = createRequire(import.meta.url).resolve('adaptivecards/dist/adaptivecards.js');

type Drawn = { textContent: string; querySelectorAll(selector: 'a'): Iterable<{ href: string }> };

/** As far as it is used here. */
type Library = {
  Versions: Record<'v1_5', unknown>;
  SerializationContext: new (version: unknown) => { eventCount: number; getEventAt(at: number): { message: string } };
  AdaptiveCard: new () => {
    parse(json: unknown, context: unknown): void;
    validateProperties(): { validationEvents: { message: string }[] };
    render(): Drawn;
  };
};

const browser = await testBrowser();

afterAll(() => browser?.close());

const widthOf = (image: unknown): number => (image as { naturalWidth: number }).naturalWidth;

/** Where somebody wants to look at what is tested. */
const pictures = process.env.PIXART_TEST_PICTURES;

async function keepPicture(page: Page, name: string): Promise<void> {
  if (pictures !== undefined) await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
}

describe.skipIf(browser === null)('a card for Teams', () => {
  let page: Page;

  beforeAll(async () => {
    page = await browser!.newPage({ viewport: { width: 900, height: 600 } });
    await page.route(/^https:/, (route) => route.fulfill({ contentType: 'image/jpeg', body: sheet }));
  });

  afterAll(() => page.close());

  /** Parses and draws a card. @returns what the parser has to say of it, and what a person reads */
  async function drawn(card: unknown): Promise<{ faults: string[]; text: string; links: string[] }> {
    await page.setContent('<!doctype html><body style="font:14px sans-serif"></body>');
    await page.addScriptTag({ path: RENDERER });
    return page.locator('body').evaluate((body, json) => {
      const { AdaptiveCard, SerializationContext, Versions } = (globalThis as unknown as { AdaptiveCards: Library })
        .AdaptiveCards;
      const card = new AdaptiveCard();
      const context = new SerializationContext(Versions.v1_5);
      card.parse(json, context);
      const parsed = Array.from({ length: context.eventCount }, (_, at) => context.getEventAt(at));
      const faults = [...parsed, ...card.validateProperties().validationEvents].map(({ message }) => message);
      const element = card.render();
      (body as unknown as { append(child: Drawn): void }).append(element);
      return { faults, text: element.textContent, links: [...element.querySelectorAll('a')].map(({ href }) => href) };
    }, card);
  }

  const cardOf = (message: Message): AdaptiveCard => teamsMessage(message).attachments[0].content;

  test("Microsoft's renderer finds no fault in it, and shows all that there is", async () => {
    const { faults, text } = await drawn(
      cardOf({ ...usualMessage, picture: { kind: 'public', url: 'https://images.studio.example/a.jpg' } }),
    );
    await keepPicture(page, 'teams');
    expect(faults).toEqual([]);
    for (const { label, value } of [...usualMessage.facts, ...usualMessage.nights]) {
      expect(text).toContain(label);
      expect(text).toContain(value);
    }
    expect(text).toContain('castle-at-dusk, harbour_old');
    expect(text).toContain('Review page');
    expect(await page.locator('img').evaluate(widthOf)).toBeGreaterThan(0);
  });

  test('that renderer does find faults', async () => {
    const faulty = {
      type: 'AdaptiveCard',
      version: '1.5',
      body: [
        { type: 'TextBlok', text: 'x' },
        { type: 'Image', size: 'Huge' },
      ],
    };
    expect((await drawn(faulty)).faults.length).toBeGreaterThan(1);
  });

  test('nothing in it is read as Markdown or HTML, and it keeps the limit of Teams, whatever is in it', async () => {
    const message = hostileMessage();
    const card = cardOf(message);
    const { faults, text, links } = await drawn(card);
    await keepPicture(page, 'teams-hostile');
    expect(faults).toEqual([]);
    expect(text).toContain('*bold* _it_ [link](https://evil.example)');
    expect(text).toContain('<img src=x onerror=');
    expect(text).toContain('Some lines were left out');
    expect(links).toEqual([]);
    expect(await page.locator('b, em, strong').count()).toBe(0);
    expect(await page.title()).toBe('');
    expect(Buffer.byteLength(JSON.stringify(teamsMessage(message)))).toBeLessThanOrEqual(TEAMS_BYTES);
  });
});

describe.skipIf(browser === null)('a mail', () => {
  let page: Page;

  beforeAll(async () => {
    page = await browser!.newPage({ viewport: { width: 900, height: 600 } });
  });

  afterAll(() => page.close());

  const details = {
    to: ['lead@studio.example'],
    id: 'batch/night/batch.completed/1-0',
    date: new Date(0),
    domain: 'studio.example',
  };

  /** As a mail program does it: what has the content id is there. */
  async function shown(message: Message): Promise<string> {
    const { html } = mailOf(message, details);
    await page.setContent(html.replaceAll('cid:thumbnails', `data:image/jpeg;base64,${sheet.toString('base64')}`));
    return (await page.locator('body').textContent()) ?? '';
  }

  test('a usual night is read in HTML and in text', async () => {
    const message: Message = { ...usualMessage, picture: { kind: 'inline', jpeg: sheet } };
    const html = await shown(message);
    await keepPicture(page, 'mail');
    await page.setViewportSize({ width: 380, height: 700 });
    await keepPicture(page, 'mail-phone');
    expect(await page.locator('html').evaluate((html) => html.scrollWidth)).toBeLessThanOrEqual(380);
    await page.setViewportSize({ width: 900, height: 600 });
    const { text, picture } = mailOf(message, details);
    for (const said of [html, text]) {
      for (const { label, value } of [...usualMessage.facts, ...usualMessage.nights]) {
        expect(said).toContain(label);
        expect(said).toContain(value);
      }
      expect(said).toContain('2 × OutOfMemory');
      expect(said).toContain('castle-at-dusk, harbour_old');
      expect(said).toContain('Review page');
    }
    expect(picture?.cid).toBe('thumbnails');
    expect(await page.locator('img').evaluate(widthOf)).toBe(1_200);
  });

  test('nothing in it is read as HTML, and no header of it has more lines than one', async () => {
    const message = hostileMessage({ picture: null });
    const html = await shown(message);
    await keepPicture(page, 'mail-hostile');
    expect(html).toContain(HOSTILE.split('\r\n')[0]!.trim());
    expect(await page.locator('img, script').count()).toBe(0);
    expect(
      await page
        .locator('a')
        .evaluateAll((all) => new Set(all.map((a) => new URL((a as unknown as { href: string }).href).host)).size),
    ).toBe(1);
    expect(mailOf(message, details).subject).not.toMatch(/[\r\n]/);
  });

  test('every attempt is the same message to a mail server, and another event is another', () => {
    const { messageId } = mailOf(usualMessage, details);
    expect(messageId).toMatch(/^<[0-9a-f]{40}@studio\.example>$/);
    expect(mailOf(hostileMessage(), details).messageId).toBe(messageId);
    expect(mailOf(usualMessage, { ...details, id: 'another' }).messageId).not.toBe(messageId);
  });
});

const tiles = Array.from({ length: 8 }, (_, at) => {
  const hue = at * 45;
  return `<rect x="${(at % 4) * 300 + 8}" y="${Math.floor(at / 4) * 300 + 8}" width="284" height="284" fill="hsl(${hue} 50% 60%)"/>`;
});
const sheet = await sharp(
  Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="616">${tiles.join('')}</svg>`),
)
  .flatten({ background: '#f4f4f4' })
  .jpeg()
  .toBuffer();
