// Prints the paths of hadolint and of the Compose specification's schema as shell variables. Fetches whatever is
// missing, pinned by version and digest.
import { ensureVersion, moduleSources } from '../dev/install-tool.mjs';
import { hadolint } from '../dev/pinned-tools.mjs';

const COMPOSE = {
  module: 'github.com/compose-spec/compose-go/v2@v2.16.2',
  goSum: 'h1:pTp1DqQwJzFd85GzlWsSszKA1ABrV/ySqsClujIcWA8=',
};

const shellText = (/** @type {string} */ text) => `'${text.replaceAll("'", `'\\''`)}'`;

console.log(`HADOLINT=${shellText(await ensureVersion(hadolint))}`);
console.log(`COMPOSE=${shellText(`${await moduleSources(COMPOSE.module, COMPOSE.goSum)}/schema/compose-spec.json`)}`);
