import type { Change } from '../credentials/statement.ts';
import { contentType } from '../images/index.ts';
import { formatOf } from '../records/layout.ts';
import type { ManifestRow } from '../records/manifest-table.ts';
import { type Look, leavesPixels } from './look.ts';
import { pictureFile } from './picture-file.ts';
import { readCopy } from './picture-source.ts';
import { type Exporting, fromOf, type NamedShowing } from './showing.ts';
import { unlessUnmade, type Work } from './work.ts';

/** The work of making a file that shows one picture. */
export function pictureWork({ store, bundle, signer }: Exporting, showing: NamedShowing): Work {
  const { row, look, name } = showing;
  const isCopy = leavesPixels(look, row) && !look.hasParameters;
  const isSignedAlready = isCopy && row.signed_crc32c !== null;
  const by = isSignedAlready ? null : signer;
  const make = async () => {
    const { data: file, isUnclear } = await pictureFile(await readCopy(store, row), row, look, bundle);
    const object = { bytes: row.bytes ?? 0, crc32c: row.crc32c ?? '' };
    const job = {
      format: look.format,
      renderKey: row.render_key,
      prompt: row.prompt,
      negativePrompt: row.negative_prompt,
    };
    const data =
      by === null ? file : await by.sign(file, { ...job, sign: 'without-prompt' }, object, changesOf(row, look));
    return { file: { name, data, contentType: contentType(look.format) }, isUnclear };
  };
  const from = fromOf(showing, isCopy, by?.name ?? null);
  return {
    names: [name],
    from,
    recorded: (record) => (record.get(name)?.from === from ? [name] : []),
    dropsCredentials: row.signed_crc32c !== null && !isCopy && by === null,
    pictures: 1,
    async make(onPicture) {
      const done = await unlessUnmade(row.id, make);
      onPicture();
      if ('unmade' in done) return { files: [], unmade: [done.unmade], unclear: [] };
      const { file, isUnclear } = done.made;
      return { files: [file], unmade: [], unclear: isUnclear ? [row.id] : [] };
    },
  };
}

const changesOf = (row: ManifestRow, look: Look): Change[] => [
  ...(look.isTransparent ? ['cutOut' as const] : []),
  ...(look.longer < Math.max(row.width, row.height) ? ['resized' as const] : []),
  ...(look.isTrimmed ? ['trimmed' as const] : []),
  ...(look.format !== formatOf(row.file) ? ['converted' as const] : []),
];
