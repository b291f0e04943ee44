// Prints the folders of a cluster's programs, as a PATH has them. What is missing is built first, from sources that are pinned by version and
// checksum: a few thousand packages of Go, for hours on two busy cores.
import { dirname } from 'node:path';
import { ensureTool } from '../../dev/install-tool.mjs';
import { temporal } from '../../dev/pinned-tools.mjs';
import { ETCD, KEDA, KUBERNETES } from '../go-modules.mjs';
import { goPrograms } from './go-programs.mjs';

const folders = [
  dirname(await ensureTool(temporal)),
  await goPrograms('etcd', ETCD),
  await goPrograms('kubernetes', KUBERNETES),
  await goPrograms('keda', KEDA),
];
console.log(folders.join(':'));
