import { z } from 'zod';

/** A file name without its extension and never a path: one segment, no leading dot, at most 200 characters. */
export const jobIdSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/,
    'letters, digits, ".", "_" and "-", not starting with ".", at most 200',
  );
