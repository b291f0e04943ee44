import { Command } from 'commander';
import { keyLine } from '../../encryption/keyring.ts';
import { addKey, newKey } from '../../encryption/new-key.ts';
import { note, printLine } from '../display/output.ts';
import { notEmpty } from '../options/values.ts';

const examples = `
Every client and worker that finds keys in its environment (PIXART_ENCRYPTION_KEY_FILE, PIXART_ENCRYPTION_KEYS or
PIXART_ENCRYPTION_KEY_COMMAND) encrypts what it sends to Temporal, and decrypts what it receives. The first key of a file
encrypts; all of them decrypt. If you lose a key, you lose the histories encrypted with it: keep a copy.

Examples:
  $ npx pixart-batch encryption new-key --file keys.txt
  $ npx pixart-batch encryption new-key | gcloud kms encrypt --key prompts --keyring pixart --location global \\
      --plaintext-file - --ciphertext-file keys.encrypted
`;

export function encryptionCommand(): Command {
  const command = new Command('encryption').addHelpText('after', examples);
  command
    .command('new-key')
    .description('make a key and print it, or append it to a key file')
    .option('--file <path>', 'key file to append it to; created if missing', notEmpty('a path'))
    .action(run);
  return command;
}

async function run({ file }: { file?: string }): Promise<void> {
  const key = newKey();
  if (file === undefined) return printLine(keyLine(key));
  const { isOnly } = await addKey(file, key);
  printLine(`${file}: added key ${key.id}`);
  note(
    isOnly ? `to encrypt with it, set PIXART_ENCRYPTION_KEY_FILE=${file} for every client and worker` : AFTER_ADDING,
  );
}

const AFTER_ADDING =
  'it decrypts from now on; once every client and worker has been restarted with this file, move its line to the top to encrypt with it';
