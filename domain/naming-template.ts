import { nameFault, withoutUnnamable } from './portable-name.ts';
import { UserError } from './user-error.ts';

/** Texts and fields in braces: `{category}/{id}-{seed}.{ext}`. */
export type NamingTemplate = readonly (string | { field: string })[];

/** The required end of every template, so that a file's name shows its format. */
const ENDING = '.{ext}';

/** The one field whose value may name folders. */
const FIELD_WITH_FOLDERS = 'id';

/**
 * Parses a template for file names.
 *
 * @param option its name in messages
 * @throws UserError if it is invalid, or would lead out of the folder that its names are relative to
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
  if ('fault' in example) fail(`a relative name that every system accepts (${example.fault})`);
  return template;
}

function partOf(part: string): NamingTemplate[number] | null {
  const field = /^\{\s*([^{}]*?)\s*\}$/.exec(part)?.[1];
  if (field !== undefined) return field === '' ? null : { field };
  return /[{}]/.test(part) ? null : part;
}

/** The distinct fields of a template. */
export const fieldsOf = (template: NamingTemplate): Set<string> =>
  new Set(template.flatMap((part) => (typeof part === 'string' ? [] : [part.field])));

/** The template with a text inserted before the extension. */
export const beforeEnding = (template: NamingTemplate, text: string): NamingTemplate => {
  const [ext, dot] = [template.at(-1)!, template.at(-2) as string];
  return [...template.slice(0, -2), `${dot.slice(0, -1)}${text}.`, ext];
};

/**
 * Fills in a template: the name is relative, may have folders, is in NFC, and is valid on Linux, macOS, Windows and in
 * buckets. Characters that file names cannot have become `-`; only the value of `id` may name folders.
 *
 * @returns the name, or why there is none: a field has no value, or some system would refuse or hide the name
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
