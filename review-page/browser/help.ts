import { button, make } from './dom.ts';

const KEYS: [string, string][] = [
  ['arrows', 'move; in an open image, previous and next'],
  ['Enter', 'open the image'],
  ['a', 'approve and go to the next'],
  ['r', 'reject and go to the next'],
  ['u', 'undo the last decision'],
  ['c', 'compare with images of the same row or prompt'],
  ['f', 'fit or 100 %'],
  ['+ −, wheel', 'zoom; Ctrl + wheel if the wheel scrolls'],
  ['Shift + arrows, drag', 'pan an open image'],
  ['Home, End', 'first, last'],
  ['Page up, Page down', 'previous page, next page'],
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
      `${kept ? 'They are kept in this browser' : 'This browser does not keep them'}. Export them as decisions.csv to pass them on; Import reads such a file back. Decisions count only for the images that are here now: an image that was rendered again is undecided.`,
    ),
    button('Close', 'Close (Esc)', () => dialog.close()),
  );
  return dialog;
}
