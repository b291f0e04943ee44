import { type Browser, chromium } from 'playwright-core';
import { childEnvironment } from '../../domain/child-environment.mjs';
import { ensureChromium } from '../../infra/dev/install-chromium.mjs';
import { ifThere } from '../set-up.ts';

/** A real Chromium. */
export async function openBrowser(): Promise<Browser> {
  const { executable, env } = await ensureChromium();
  return chromium.launch({ executablePath: executable, env: { ...childEnvironment('program'), ...env } });
}

/** The same for tests; `null` if there is none and that is allowed. */
export const testBrowser = (): Promise<Browser | null> => ifThere('The review page is not tested', openBrowser);
