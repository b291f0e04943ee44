import { defineConfig } from 'vitest/config';

/** Pure code: no servers, no other processes, no models. `npm run test:unit` runs these alone. */
const UNIT = [
  '{catalog,domain,records}/**/*',
  'cleaning/{choose-batches,own-names}',
  'cli/display/!(follow-batch)',
  '{models/pixart/samplers,review-page/browser,workflows/batch,workflows/contract,workflows/shard}/*',
  'activities/heartbeats',
  'benchmarks/{gpu-fleet,report,gpu/run-list,gpu/tables}',
  'client/{cron,not-behind,request}',
  'connection/temporal-target',
  'docs/{blocks,named-headings}',
  'encryption/{object-seal,payload-codec,sealed}',
  'images/xmp',
  'infra/iam/table',
  'models/pixart/{caption-format,checkpoint-format,clean-caption,latents,noise,resize-crop}',
  'monitoring/attempt-outcome',
  'review-page/encode',
  'store/{crc32c,gcs-errors,object-name}',
  'workers/{allowance,logging,public-address,render-config}',
];

/**
 * Tests that leave nothing behind in their process, so that a process can take one file after the other. Those that
 * wait for servers which were killed could, but begin with the fleets, because they cost no more than time.
 */
const SHARING = [
  '{activities,cleaning,cli,client,codec-server,connection,docs,encryption,exporting,forgetting,images,models/pixart,monitoring,pictures,review-page,store,workers,workflows}/**/!(follow-batch)',
  'infra/**/!(temporal-server)',
];

/**
 * What a release has to hold: upgrades from an earlier version, the packed library, servers, workers and databases that
 * are killed or lost. `npm run test:release`.
 */
const RELEASE = ['{chaos,release}/*'];

const files = (patterns: string[]): string[] => patterns.map((pattern) => `tests/${pattern}.test.ts`);

export default defineConfig({
  test: {
    // Native modules (onnxruntime, sharp, Temporal's core) want a process of their own.
    pool: 'forks',
    // More than two cores can run: end-to-end tests wait a good deal, for servers and for time limits.
    maxWorkers: 6,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // A second, which it is otherwise, passes without a turn on a machine that is busy with other things.
    expect: { poll: { timeout: 30_000 } },
    // Begun in the order of their names, and within each with what took longest the last time, so that the end is made
    // of short files.
    projects: [
      {
        extends: true,
        test: { name: 'alone', include: files(['**/*']), exclude: files([...SHARING, ...UNIT, ...RELEASE]) },
      },
      { extends: true, test: { name: 'sharing', include: files(SHARING), exclude: files(UNIT), isolate: false } },
      { extends: true, test: { name: 'unit', include: files(UNIT), isolate: false } },
      { extends: true, test: { name: 'release', include: files(RELEASE) } },
    ],
  },
});
