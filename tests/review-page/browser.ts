import { type Browser, chromium } from 'playwright-core';
import { ensureChromium } from '../../infra/dev/install-chromium.mjs';
import { ifThere } from '../set-up.ts';

/** A real Chromium. */
export async function openBrowser(): Promise<Browser> {
  const { executable, env } = await ensureChromium();
  const given = Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return chromium.launch({ executablePath: executable, env: { ...Object.fromEntries(given), ...env } });
}

/** The same for tests, `null` where there is none and that may be. */
export const testBrowser = (): Promise<Browser | null> => ifThere('The review page is not tested', openBrowser);
