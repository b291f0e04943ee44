import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../build/kept-build.mjs';
import { referencePages } from './pages.ts';

/* `npm run reference`: generates docs/reference/ from the code. */
for (const [name, text] of Object.entries(await referencePages())) {
  writeFileSync(path.join(ROOT, 'docs/reference', name), text);
}
