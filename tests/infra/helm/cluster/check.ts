// A program for infra/helm/cluster-check.sh, which runs it where there is nothing but a loopback device: sets up a cluster with KEDA and a
// Temporal server, installs the chart, and looks at what KEDA makes of its workers.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { connect, temporalTarget } from '../../../../client/index.ts';
import { startTemporalServer } from '../../../../infra/dev/temporal-server.ts';
import { bundleRef, openBundle } from '../../../../models/pixart/index.ts';
import { bundleOfThreeSizes } from '../../../e2e/fleet.ts';
import { makeCertificates } from './certificates.ts';
import { install, makeNamespace, tryCases } from './chart.ts';
import { startControlPlane } from './control-plane.ts';
import { ClusterFleet } from './fleet.ts';
import { startKeda } from './keda.ts';
import { StandInNode } from './node.ts';
import { observing, say } from './observe.ts';
import { Programs } from './programs.ts';
import { watchScaling } from './scaling.ts';

const { KEDA = '', WORKER_CONTROLLER = '' } = process.env;

/** A folder for each kind of thing, in one that is gone when this ends. */
function folderFor(name: string): string {
  const folder = path.join(process.argv[2]!, name);
  mkdirSync(folder);
  return folder;
}

const programs = new Programs(folderFor('logs'));
let node: StandInNode | undefined;
const observe = observing(() => {
  programs.check();
  node?.check();
});

try {
  say('a cluster without containers');
  const certificates = makeCertificates(folderFor('certificates'));
  const cluster = await startControlPlane(programs, certificates, folderFor('kubernetes'), observe);
  await startKeda(cluster, programs, certificates, KEDA, observe);

  say("the chart's cases");
  await makeNamespace(cluster);
  await tryCases(cluster, WORKER_CONTROLLER, folderFor('cases'));

  say('the chart is installed');
  const server = await startTemporalServer({ port: 7233, ui: false });
  const bundles = folderFor('bundles');
  const bundle = bundleRef(await openBundle(await bundleOfThreeSizes(bundles)));
  node = new StandInNode(cluster.api, folderFor('pods'), bundles);
  await node.join();
  await install(cluster, bundles, bundle);
  const client = await connect(temporalTarget({ address: server.address }));
  await watchScaling(new ClusterFleet(cluster.api, client, bundle, folderFor('batches')), observe);
  await client.close();
  await server.stop();
  say('all as expected');
  process.exit();
} catch (error) {
  console.error(programs.lastWords());
  throw error;
}
