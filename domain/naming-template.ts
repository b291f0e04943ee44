import { nameFault, withoutUnnamable } from './portable-name.ts';
import { UserError } from './user-error.ts';

/** Texts and, in braces, names of fields, in turns: `{category}/{id}-{seed}.{ext}`. */
export type NamingTemplate = readonly (string | { field: string })[];

/** What every template ends in, so that a file's name says what is in it. */
const ENDING = '.{ext}';

/** The one field whose value may name folders. */
const FIELD_WITH_FOLDERS = 'id';

/**
 * Reads a template for the names of files.
 *
 * @param option what messages call it
 * @throws UserError where it is none, or would lead out of the place that its names are relative to
 */
export function readTemplate(text: string, option = '--name'): NamingTemplate {
  const fail = (expected: string): never => {
    throw new UserError(
      `${option}: expected ${expected}, such as {category}/{id}-{seed}${ENDING}, found ${JSON.stringify(text.slice(0, 200))}`,
    );
  };
  if (!text.endsWith(ENDING)) fail(`a name that ends in ${ENDING}`);
  const parts = text.normalize('NFC').split(/(\{[^{}]*\})/);
  const template = parts.filter((part) => part !== '').map((part) => partOf(part) ?? fail('fields in braces'));
  const example = filledName(template, () => 'x');
  if ('fault' in example) fail(`a relative name that every system takes (${example.fault})`);
  return template;
}

function partOf(part: string): NamingTemplate[number] | null {
  const field = /^\{\s*([^{}]*?)\s*\}$/.exec(part)?.[1];
  if (field !== undefined) return field === '' ? null : { field };
  return /[{}]/.test(part) ? null : part;
}

/** The fields that a template has, each once. */
export const fieldsOf = (template: NamingTemplate): Set<string> =>
  new Set(template.flatMap((part) => (typeof part === 'string' ? [] : [part.field])));

/** The template with a text right before its ending. */
export const beforeEnding = (template: NamingTemplate, text: string): NamingTemplate => {
  const [ext, dot] = [template.at(-1)!, template.at(-2) as string];
  return [...template.slice(0, -2), `${dot.slice(0, -1)}${text}.`, ext];
};

/**
 * The name that a template gives with these values: relative, of parts with `/` between them, in NFC, and one that Linux, macOS, Windows and buckets take
 * alike. What no file's name may have becomes `-`; a value makes no folders, but for that of `id`.
 *
 * @returns why there is no such name, where a field has no value or the name is one that some system refuses or hides
 */
export function filledName(
  template: NamingTemplate,
  cell: (field: string) => string | undefined,
): { name: string } | { fault: string } {
  let filled = '';
  for (const part of template) {
    if (typeof part === 'string') filled += part;
    else {
      const value = cell(part.field)?.trim();
      if (value === undefined || value === '') return { fault: `nothing in ${part.field}` };
      filled += part.field === FIELD_WITH_FOLDERS ? value : value.replaceAll('/', '-');
    }
  }
  const name = withoutUnnamable(filled);
  const fault = nameFault(name);
  return fault === null ? { name } : { fault: `${JSON.stringify(name.slice(0, 200))}: ${fault}` };
}
