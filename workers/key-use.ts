import type { DataConverter } from '@temporalio/common';
import { dataConverter } from '../connection/data-converter.ts';
import type { Keyring } from '../encryption/keyring.ts';

/** How a worker of activities encrypts and decrypts, and whether it has met something whose key it does not have. */
export type KeyUse = { dataConverter: DataConverter; unusable: AbortSignal };

/**
 * A worker of activities that lacks a key would take one image after the other off its queue, faster than others render them, and give each
 * back as failed: it has to stop at the first. An orchestrator need not, since a workflow loses nothing by it.
 */
export function keyUse(keyring: Keyring | null): KeyUse {
  const lacking = new AbortController();
  return {
    dataConverter: dataConverter(keyring, (missing) => {
      lacking.abort(missing);
      throw missing;
    }),
    unusable: lacking.signal,
  };
}
