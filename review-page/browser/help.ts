import { button, make } from './dom.ts';

const KEYS: [string, string][] = [
  ['arrows', 'move; in a large image the previous and next one'],
  ['Enter', 'open the image'],
  ['a', 'approve, and on to the next'],
  ['r', 'reject, and on to the next'],
  ['u', 'undo the last decision'],
  ['c', 'compare with images of the same row or prompt'],
  ['f', 'fit or 100 %'],
  ['+ −, wheel', 'zoom; with Ctrl where the wheel scrolls'],
  ['Shift + arrows, drag', 'move within a large image'],
  ['Home, End', 'first, last'],
  ['Page up, Page down', 'a page back, on'],
  ['/', 'search'],
  ['Esc', 'close'],
  ['?', 'this help'],
];

export function makeHelp(kept: boolean): HTMLDialogElement {
  const dialog = make('dialog', { className: 'help', ariaLabel: 'Help' });
  const keys = KEYS.map(([key, meaning]) =>
    make('div', {}, make('dt', {}, make('kbd', {}, key)), make('dd', {}, meaning)),
  );
  dialog.append(
    make('h2', {}, 'Keys'),
    make('dl', {}, ...keys),
    make('h2', {}, 'Decisions'),
    make(
      'p',
      {},
      `${kept ? 'They stay in this browser' : 'This browser does not keep them'}. Export them as decisions.csv to hand them on; Import reads such a file back. Only decisions on the pictures that are here now count: a picture that was rendered anew is undecided.`,
    ),
    button('Close', 'Close (Esc)', () => dialog.close()),
  );
  return dialog;
}
