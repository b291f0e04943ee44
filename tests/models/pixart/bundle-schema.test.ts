import { expect, test } from 'vitest';
import { z } from 'zod';
import { bundleDescriptionSchema } from '../../../models/pixart/bundle.ts';

test('the exporter has the rules of this reader: after a change, run this test with --update', async () => {
  const schema = z.toJSONSchema(bundleDescriptionSchema, { io: 'input' });
  await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot('../../../models/export/bundle.schema.json');
});
