import { UserError } from '../catalog/user-error.ts';
import { type Bundle, openBundle } from '../models/pixart/bundle.ts';
import { bundleFolder, listBundles } from '../models/pixart/installed-bundles.ts';

/**
 * The bundle that was asked for, or the only one there is. Its files are not checked yet: see verifyBundle.
 *
 * @throws UserError where nothing was asked for and it is not clear which one to take
 */
export async function chosenBundle(asked: string | undefined): Promise<Bundle> {
  return openBundle(await bundleFolder(asked ?? (await onlyBundle())));
}

async function onlyBundle(): Promise<string> {
  const names = [...(await listBundles()).keys()];
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  const found = names.length === 0 ? 'none is installed' : `several are installed: ${names.join(', ')}`;
  throw new UserError(`bundle: ${found}. Choose one with --bundle or PIXART_BUNDLE.`);
}
