// Prints where Helm is and where the sources of KEDA and of Temporal's Worker Controller are, as variables of a shell. What is missing is fetched first: pinned by version and checksum.
import { ensureVersion, moduleSources } from '../dev/install-tool.mjs';
import { helm } from '../dev/pinned-tools.mjs';
import { KEDA, WORKER_CONTROLLER } from './go-modules.mjs';

const shellText = (/** @type {string} */ text) => `'${text.replaceAll("'", `'\\''`)}'`;

console.log(`HELM=${shellText(await ensureVersion(helm))}`);
console.log(`KEDA=${shellText(await moduleSources(KEDA.module, KEDA.goSum))}`);
console.log(`WORKER_CONTROLLER=${shellText(await moduleSources(WORKER_CONTROLLER.module, WORKER_CONTROLLER.goSum))}`);
