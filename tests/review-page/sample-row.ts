import type { SheetRow } from '../../review-page/index.ts';

export const sheetRowOf = (changes: Partial<SheetRow>): SheetRow => ({
  id: 'lantern',
  prompt: 'a lantern',
  negative: '',
  status: 'rendered',
  reason: '',
  size: '256',
  width: 256,
  height: 256,
  seed: 7,
  steps: 20,
  guidance: 4.5,
  line: 2,
  renderKey: 'a'.repeat(64),
  file: `${changes.id ?? 'lantern'}.png`,
  colour: null,
  values: [],
  ...changes,
});
