import { expect, test } from 'vitest';
import {
  auditName,
  captionName,
  catalogName,
  checkpointName,
  copyName,
  damagedName,
  LIMITS_NAME,
  latestBatchName,
  objectName,
  ratesName,
  removalName,
  roundCopyName,
  roundManifestName,
  roundName,
  shardName,
  shardReceiptsName,
  usageName,
} from '../../../records/layout.ts';
import { isIn, PARTS } from './parts.ts';

const DIGEST = 'a'.repeat(64);
const DAY = new Date('2026-11-30T12:00:00Z');

const NAMES = {
  catalog: catalogName('night', 'csv'),
  round: roundName('night', 2),
  plan: shardName('night', 1, 0),
  receipts: shardReceiptsName('night', 1, 0),
  manifest: roundManifestName('night', 1, 1, 'json'),
  copy: copyName('night', { id: 'mug', format: 'webp' }),
  retaken: roundCopyName('night', 2, { id: 'mug', format: 'webp' }),
  object: objectName(DIGEST, 'png'),
  damaged: damagedName(objectName(DIGEST, 'png'), '1'),
  rates: ratesName(DIGEST),
  latest: latestBatchName('file:///catalog.csv'),
  caption: captionName(DIGEST, DIGEST),
  checkpoint: checkpointName(DIGEST),
  limits: LIMITS_NAME,
  usage: usageName('2026-11-30', 1),
  audit: auditName(DAY, '0123abcd', 'asked'),
  removal: removalName('night'),
};

type Named = keyof typeof NAMES;

/** The ones on which a part has a permission. */
const has = (part: string, verb: string): Named[] => {
  const places = PARTS[part]!.bucket[`storage.objects.${verb}`] ?? [];
  return (Object.keys(NAMES) as Named[]).filter((kind) => places.some((place) => isIn(place, NAMES[kind])));
};

const RECORDS: Named[] = ['catalog', 'round', 'plan', 'receipts', 'manifest', 'copy', 'retaken', 'removal'];

test.each<[string, Named[]]>([
  ['submitter', ['catalog', 'round', 'audit']],
  ['orchestrator', [...RECORDS, 'rates', 'latest', 'usage']],
  ['renderer', ['copy', 'retaken', 'object', 'caption', 'checkpoint']],
  ['encoder', ['caption']],
  ['reviewer', []],
  ['repairer', [...RECORDS, 'object', 'damaged', 'audit']],
  ['remover', [...RECORDS, 'audit']],
  ['releaser', []],
])('%s can create what it produces, and nothing else', (part, kinds) => {
  expect(has(part, 'create').sort()).toEqual(kinds.sort());
});

test.each(['submitter', 'orchestrator'])(
  '%s can read the limits of the store, and what has been used of them',
  (part) => {
    expect(has(part, 'get')).toEqual(expect.arrayContaining(['limits', 'usage']));
  },
);

test.each(Object.keys(PARTS))('%s cannot change audit lines, limits or what has been used of them', (part) => {
  const changed = [...has(part, 'delete'), ...has(part, 'update')];
  expect(changed.filter((kind) => ['audit', 'limits', 'usage'].includes(kind))).toEqual([]);
});

test.each(['submitter', 'orchestrator', 'renderer', 'encoder', 'reviewer'])('%s cannot remove a picture', (part) => {
  expect(has(part, 'delete').filter((kind) => ['copy', 'retaken', 'object'].includes(kind))).toEqual([]);
});
