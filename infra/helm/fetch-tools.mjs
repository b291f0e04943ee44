// Prints where Helm is and where KEDA's sources are, as variables of a shell. What is missing is fetched first: pinned by version and checksum.
import { ensureVersion, moduleSources } from '../dev/install-tool.mjs';
import { helm } from '../dev/pinned-tools.mjs';

/** Its schemas say what a ScaledObject may have. */
const KEDA = {
  module: 'github.com/kedacore/keda/v2@v2.21.0',
  goSum: 'h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=',
};

const shellText = (/** @type {string} */ text) => `'${text.replaceAll("'", `'\\''`)}'`;

console.log(`HELM=${shellText(await ensureVersion(helm))}`);
console.log(`KEDA=${shellText(await moduleSources(KEDA.module, KEDA.goSum))}`);
