// Prints where Helm is and where the sources of KEDA and of Temporal's Worker Controller are, as variables of a shell. What is missing is fetched first: pinned by version and checksum.
import { ensureVersion, moduleSources } from '../dev/install-tool.mjs';
import { helm } from '../dev/pinned-tools.mjs';

/** Its schemas say what a ScaledObject may have. */
const KEDA = {
  module: 'github.com/kedacore/keda/v2@v2.21.0',
  goSum: 'h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=',
};

/** Its schemas say what a Connection and a WorkerDeployment may have. */
const WORKER_CONTROLLER = {
  module: 'github.com/temporalio/temporal-worker-controller@v1.8.1',
  goSum: 'h1:fyGqkeh8sQ0QIoCpko1iUgZ+TbKTyivgTBouiHMPaoM=',
};

const shellText = (/** @type {string} */ text) => `'${text.replaceAll("'", `'\\''`)}'`;

console.log(`HELM=${shellText(await ensureVersion(helm))}`);
console.log(`KEDA=${shellText(await moduleSources(KEDA.module, KEDA.goSum))}`);
console.log(`WORKER_CONTROLLER=${shellText(await moduleSources(WORKER_CONTROLLER.module, WORKER_CONTROLLER.goSum))}`);
