import type { Webhooks } from '../activities/index.ts';
import { type OpenStore, openStore, readUrl, type Sources, termsReader } from '../store/index.ts';
import type { Allowance } from './allowance.ts';
import { checkPlace } from './allowed-places.ts';
import { allowedPost, checkReceiver, checkWebhook } from './allowed-webhooks.ts';

/** How activities reach what a batch names: stores, catalogs, terms and webhooks, each looked at before it is opened. */
export type Outside = {
  openStore: OpenStore;
  sources: Sources;
  /** `checkAddress` throws UserError for an address, also one of Slack or Teams, that `post` would refuse. */
  webhooks: Webhooks & { checkAddress(url: string): void };
};

/** @param own URL of a store that the worker was given for itself */
export function outsideOf(allowance: Allowance, own?: string): Outside {
  return {
    async openStore(url) {
      if (url !== own) await checkPlace(allowance, 'store', url);
      return openStore(url);
    },
    sources: {
      async readUrl(url) {
        await checkPlace(allowance, 'catalog', url);
        return readUrl(url);
      },
      termsReader: (folder) => async (name) => {
        await checkPlace(allowance, 'terms', folder);
        return termsReader(folder)(name);
      },
    },
    webhooks: {
      check: (receiver) => checkReceiver(allowance, receiver),
      checkAddress: (url) => checkWebhook(allowance, url),
      post: allowedPost(allowance),
    },
  };
}
