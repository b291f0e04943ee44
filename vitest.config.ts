import { defineConfig } from 'vitest/config';

/** Tests that leave nothing behind in their process, so that a process can take one file after the other. */
const SHARING = [
  'activities',
  'catalog',
  'domain',
  'images',
  'models/pixart',
  'monitoring',
  'records',
  'review-page/browser',
  'store',
];

const files = (folders: string[]): string[] => folders.map((folder) => `tests/${folder}/**/*.test.ts`);

export default defineConfig({
  test: {
    // Native modules (onnxruntime, sharp, Temporal's core) want a process of their own.
    pool: 'forks',
    // More than cores: end-to-end tests wait a good deal, for servers and for time limits.
    maxWorkers: 4,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: 'parts', include: files(SHARING), isolate: false } },
      { extends: true, test: { name: 'whole', include: ['tests/**/*.test.ts'], exclude: files(SHARING) } },
    ],
  },
});
