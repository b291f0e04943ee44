import { type Browser, chromium } from 'playwright-core';
import { ensureChromium } from '../../infra/dev/install-chromium.mjs';

/** A real Chromium, or why there is none. */
export async function openBrowser(): Promise<Browser | string> {
  try {
    const { executable, env } = await ensureChromium();
    const given = Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
    return await chromium.launch({ executablePath: executable, env: { ...Object.fromEntries(given), ...env } });
  } catch (error) {
    return `The page is not tested: ${(error as Error).message}`;
  }
}
