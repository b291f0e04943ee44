import type { DataConverter } from '@temporalio/common';
import { dataConverter } from '../connection/data-converter.ts';
import type { Keyring } from '../encryption/keyring.ts';

/** How an activity worker encrypts and decrypts, and whether it has met a payload whose key it does not have. */
export type KeyUse = { dataConverter: DataConverter; unusable: AbortSignal };

/**
 * An activity worker that lacks a key would take one image after another off its queue, faster than others render them,
 * and fail each: it has to stop at the first. An orchestrator need not, since workflows lose nothing.
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
