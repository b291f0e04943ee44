import { UserError } from '../../domain/user-error.ts';
import { type Bundle, openBundle } from './bundle.ts';
import { bundleFolder, listBundles } from './installed-bundles.ts';

/** What the repository ships. The first is meant where nobody asks for a bundle and no other is installed. */
const SHIPPED = ['pixart-icons', 'pixart-icons-4-steps'];

/**
 * The bundle that was asked for, or the one that is meant by default. Its files are not checked yet: see verifyBundle.
 *
 * @throws UserError if none was requested and it is not clear which one to use
 */
export async function chosenBundle(asked?: string): Promise<Bundle> {
  return openBundle(await bundleFolder(asked ?? (await defaultBundle())));
}

async function defaultBundle(): Promise<string> {
  const names = [...(await listBundles()).keys()];
  const isShippedOnly = names.every((name) => SHIPPED.includes(name));
  const [first, second] = isShippedOnly ? SHIPPED.filter((name) => names.includes(name)).slice(0, 1) : names;
  if (first !== undefined && second === undefined) return first;
  const found = names.length === 0 ? 'none is installed' : `several are installed: ${names.join(', ')}`;
  throw new UserError(
    `bundle: ${found}. Name one: to chosenBundle() in a program, with --bundle or PIXART_BUNDLE on the command line.`,
  );
}
