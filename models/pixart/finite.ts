import { UserError } from '../../domain/user-error.ts';

/**
 * Numbers that a network gave and that a picture can be made of. NaN and infinity would become black and white dots without a word.
 *
 * @param what it is, for the message
 * @returns the same numbers
 * @throws UserError where one is not finite: the same request overflows again
 */
export function finite(values: Float32Array, what: string): Float32Array {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return values;
  throw new UserError(
    `${what}: expected finite numbers, found ${values[at]}, so there is no image. Another prompt, seed or guidance may ` +
      'work; if every image fails like this, the weights of the bundle are damaged: export the checkpoint again (docs/exporting.md)',
  );
}
