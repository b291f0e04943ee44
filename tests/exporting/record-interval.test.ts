import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test, vi } from 'vitest';
import { encodeRecord, exportedOf } from '../../exporting/record.ts';
import { exportToPlace } from '../../exporting/to-place.ts';
import type { Work } from '../../exporting/work.ts';
import { openPlace } from '../../store/index.ts';
import { emptyPlace } from './places.ts';

const DATA = Buffer.from('a picture');

const workOf = (name: string): Work => ({
  ...{ names: [name], from: name, recorded: () => [], dropsCredentials: false, pictures: 1 },
  make: async () => ({ files: [{ name, data: DATA, contentType: 'image/png' }], unmade: [], unclear: [] }),
});

test.each([
  { there: 0, writes: 3 },
  { there: 5_000, writes: 1 },
])('over a record of $there files, 250 more make it be written $writes times', async ({ there, writes }) => {
  const to = await emptyPlace();
  await mkdir(to);
  const earlier = Array.from(
    { length: there },
    (_, file) => [`old-${file}.png`, exportedOf('winter', '', DATA)] as const,
  );
  await writeFile(join(to, 'export.json'), encodeRecord(new Map(earlier)));
  const store = await openPlace(pathToFileURL(to).href);
  const replace = vi.spyOn(store, 'replace');
  const works = Array.from({ length: 250 }, (_, file) => workOf(`${file}.png`));
  expect((await exportToPlace(store, 'spring', works, () => {})).written).toHaveLength(250);
  expect(replace).toHaveBeenCalledTimes(writes);
});
