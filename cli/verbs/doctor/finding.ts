/** What was checked, and what was found. `optional`: missing, but most people do not need it. */
export type Finding = {
  what: string;
  state: 'ok' | 'missing' | 'optional';
  found: string;
  /** How to get it. */
  remedy?: string;
};

export const ok = (what: string, found: string): Finding => ({ what, state: 'ok', found });

export const missing = (what: string, found: string, remedy: string): Finding => ({
  what,
  state: 'missing',
  found,
  remedy,
});

export const optional = (what: string, found: string, remedy?: string): Finding => ({
  what,
  state: 'optional',
  found,
  ...(remedy !== undefined && { remedy }),
});

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
