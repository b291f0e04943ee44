// Programs of Go modules that `go install` refuses, because their go.mod takes other modules from folders beside it, which an archive does not have.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { childEnvironment } from '../../../domain/child-environment.mjs';
import { moduleSources } from '../../dev/install-tool.mjs';
import { oneAtATime, runStep } from '../../dev/steps.mjs';
import { toolFolder } from '../../dev/tools.mjs';

/**
 * @typedef {object} GoPrograms
 * @property {string} module with its version
 * @property {string} goSum of the module, as go.sum has it; Go's checksum database has those of the others
 * @property {string} [siblings] the published version of what its go.mod takes from folders beside it
 * @property {Record<string, string>} programs by their names, the packages that they are built from
 * @property {string} [linking] settings of the linker
 */

/**
 * Builds them, unless they are there.
 *
 * @param {string} name what they are called together
 * @param {GoPrograms} about
 * @returns {Promise<string>} the folder that they are in
 * @throws {SetUpError} where there is no Go, or it does not build them
 */
export async function goPrograms(name, about) {
  const folder = join(toolFolder(), `${name}-${about.module.split('@v')[1]}`);
  const areThere = () => Object.keys(about.programs).every((program) => existsSync(join(folder, program)));
  if (areThere()) return folder;
  mkdirSync(toolFolder(), { recursive: true });
  return oneAtATime(`${folder}.lock`, async () => {
    if (!areThere()) await build(about, folder);
    return folder;
  });
}

/**
 * In a folder of their own, which gets its name when all are there.
 *
 * @param {GoPrograms} about
 * @param {string} folder
 */
async function build({ module, goSum, siblings, programs, linking = '' }, folder) {
  const sources = await moduleSources(module, goSum);
  const made = mkdtempSync(`${folder}-`);
  try {
    const goMod = join(made, 'go.mod');
    writeFileSync(goMod, withPublished(readFileSync(join(sources, 'go.mod'), 'utf8'), siblings));
    writeFileSync(join(made, 'go.sum'), readFileSync(join(sources, 'go.sum')));
    const options = ['-C', sources, `-modfile=${goMod}`, '-mod=mod', '-ldflags', linking];
    const env = { ...childEnvironment('go'), GOWORK: 'off' };
    for (const [program, goPackage] of Object.entries(programs)) {
      const where = ['-o', join(made, 'programs', program), goPackage];
      await runStep(`building ${program} of ${module} with Go, some minutes`, 'go', ['build', ...options, ...where], {
        env,
      });
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(join(made, 'programs'), folder);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

/**
 * @param {string} goMod
 * @param {string | undefined} version
 */
const withPublished = (goMod, version) =>
  version === undefined ? goMod : goMod.replaceAll(/(\S+) => \.\.?\/(?!FORBIDDEN)\S+$/gm, `$1 => $1 ${version}`);
