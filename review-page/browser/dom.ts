type Properties<Tag extends keyof HTMLElementTagNameMap> = Partial<HTMLElementTagNameMap[Tag]>;

/** Makes an element. Texts are set as text, never as markup. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties<Tag> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** A button with a label that screen readers say in place of its sign. */
export const button = (sign: string, label: string, action: () => void, className = ''): HTMLButtonElement =>
  make('button', { type: 'button', className, title: label, ariaLabel: label, onclick: action }, sign);

/** `12,345` in the reader's locale. */
export const count = (value: number): string => value.toLocaleString();

/** The URL of a file next to the page. */
export const addressOf = (file: string): string => file.split('/').map(encodeURIComponent).join('/');
