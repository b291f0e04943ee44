import { extension } from '../domain/image-format.ts';
import { beforeEnding, fieldsOf, filledName, type NamingTemplate, readTemplate } from '../domain/naming-template.ts';
import { ROW_COLUMNS } from '../domain/parameters.ts';
import { type Collision, collisionsOf } from '../domain/portable-name.ts';
import { rowValue } from '../domain/row-value.ts';
import { unknownField } from '../domain/template-fields.ts';
import { UserError } from '../domain/user-error.ts';
import type { ManifestRow } from '../records/manifest-table.ts';
import type { Look } from './look.ts';
import { RECORD_NAME } from './record.ts';

const USUAL = '{id}.{ext}';

/** What a file's name can be made from. */
type Naming = { row: ManifestRow; look: Look; side: number; density: number };

/** Fields of the file, not of its row. */
const OF_FILES = ['ext', 'side', 'density', 'batch'];

/** Names the files of an export. */
export class FileNames {
  readonly #batch: string;
  readonly #template: NamingTemplate;
  readonly #hasDensity: boolean;

  /**
   * @param rows the exported rows, whose columns a field may name
   * @throws UserError for an invalid template, or one with a field that no row has
   */
  constructor(batch: string, text: string | undefined, rows: readonly ManifestRow[]) {
    this.#batch = batch;
    this.#template = readTemplate(text ?? USUAL);
    this.#hasDensity = fieldsOf(this.#template).has('density');
    checkFields(this.#template, rows);
  }

  /** @returns the name, or why there is none */
  of({ row, look, side, density }: Naming): { name: string } | { fault: string } {
    const own = new Map([
      ['ext', extension(look.format)],
      ['side', String(side)],
      ['density', `${density}x`],
      ['batch', this.#batch],
    ]);
    const isMarked = density > 1 && !this.#hasDensity;
    const template = isMarked ? beforeEnding(this.#template, `@${density}x`) : this.#template;
    return filledName(template, (field) => own.get(field) ?? rowValue(row.metadata, row, field));
  }
}

function checkFields(template: NamingTemplate, rows: readonly ManifestRow[]): void {
  const carried = new Set(rows.flatMap(({ metadata }) => Object.keys(metadata)));
  const known = [...OF_FILES, ...ROW_COLUMNS, ...carried];
  const unknown = unknownField(fieldsOf(template), known);
  if (unknown !== null) throw new UserError(`--name: expected ${unknown.expected}, found ${unknown.found}`);
}

const SHOWN = 10;

/** @throws UserError listing the pictures without a name */
export function checkNames(faults: readonly { id: string; fault: string }[]): void {
  if (faults.length === 0) return;
  throw listed(
    '--name: expected a name for each image, found none for',
    faults.map(({ id, fault }) => `${id}: ${fault}`),
  );
}

/** @throws UserError listing the files that would have the same name */
export function checkCollisions(named: Iterable<readonly [name: string, what: string]>): void {
  const found = collisionsOf<string>([[RECORD_NAME, 'the record of exports'], ...named]);
  if (found.length === 0) return;
  throw listed(
    '--name: expected a different name for each file, ignoring case, found the same for',
    found.map(({ name, first, second }: Collision<string>) => `${first} and ${second}: ${name}`),
  );
}

function listed(text: string, lines: readonly string[]): UserError {
  const more = lines.length > SHOWN ? [`… and ${lines.length - SHOWN} more`] : [];
  return new UserError([text, ...lines.slice(0, SHOWN), ...more].join('\n  '));
}
