/**
 * What a test needs and set-up can bring. Where it cannot, the tests that need it are skipped and the reason is printed; in CI,
 * where nobody would read it, that is a failure.
 *
 * @param why for the person who reads of skipped tests
 */
export async function ifThere<T>(why: string, bring: () => Promise<T>): Promise<T | null> {
  try {
    return await bring();
  } catch (error) {
    if (process.env.CI) throw error;
    console.warn(`${why}: ${(error as Error).message}`);
    return null;
  }
}
