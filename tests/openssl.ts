import { execFileSync } from 'node:child_process';

/**
 * Runs the machine's own openssl, for what Node does not do: certificates, and signatures of a digest that somebody
 * else has computed.
 *
 * @returns what it prints
 * @throws Error that says what to install where there is none, or with what it complained about
 */
export function openssl(args: string[], input?: string): Buffer {
  try {
    return execFileSync('openssl', args, { stdio: ['pipe', 'pipe', 'pipe'], ...(input !== undefined && { input }) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(
      'expected the program openssl, which this test makes keys, certificates or signatures with, found none on the PATH. ' +
        'Install it (apt-get install openssl, dnf install openssl, brew install openssl) and run the test again',
    );
  }
}
