import { type Bundle, chosenBundle, openBundles } from '../../../models/pixart/index.ts';
import { type Finding, messageOf, missing, ok } from './finding.ts';

const VERIFY = '"npx pixart-batch bundle verify <name>" checks every file of one';

/** The chosen bundle, if there is one, and findings about all installed bundles. */
export async function bundles(asked: string | undefined): Promise<{ bundle: Bundle | null; findings: Finding[] }> {
  const refused: string[] = [];
  const installed = await openBundles(({ message }) => refused.push(message));
  const all = installed.map(({ description }) => description.name).join(', ');
  const findings = refused.map((message) => missing('bundle', message, VERIFY));
  try {
    const bundle = await chosenBundle(asked);
    const found = `${bundle.description.name}${all === bundle.description.name ? '' : `, of ${all}`}`;
    return { bundle, findings: [ok('bundle', found), ...findings] };
  } catch (error) {
    const remedy = 'name one with --bundle, or make one from a checkpoint (docs/exporting.md)';
    return { bundle: null, findings: [missing('bundle', messageOf(error), remedy), ...findings] };
  }
}
