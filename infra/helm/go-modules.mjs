// What the chart is checked with that comes as Go modules, pinned by version and checksum.

/** Its schemas say what a ScaledObject may have. */
export const KEDA = {
  module: 'github.com/kedacore/keda/v2@v2.21.0',
  goSum: 'h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=',
  programs: { 'keda-operator': './cmd/operator', 'keda-adapter': './cmd/adapter', 'keda-webhooks': './cmd/webhooks' },
};

/** Its schemas say what a Connection and a WorkerDeployment may have. */
export const WORKER_CONTROLLER = {
  module: 'github.com/temporalio/temporal-worker-controller@v1.8.1',
  goSum: 'h1:fyGqkeh8sQ0QIoCpko1iUgZ+TbKTyivgTBouiHMPaoM=',
};

export const KUBERNETES = {
  module: 'k8s.io/kubernetes@v1.36.3',
  goSum: 'h1:qDQdoMiluAE2Eab6Fa52YV+WjiGz9mZFFoagEA6cI+o=',
  siblings: 'v0.36.3',
  programs: {
    'kube-apiserver': './cmd/kube-apiserver',
    'kube-controller-manager': './cmd/kube-controller-manager',
    'kube-scheduler': './cmd/kube-scheduler',
    kubectl: './cmd/kubectl',
  },
  // Helm and KEDA ask the server for its version.
  linking: '-X k8s.io/component-base/version.gitVersion=v1.36.3 -X k8s.io/client-go/pkg/version.gitVersion=v1.36.3',
};

/** The version that this Kubernetes is built with. */
export const ETCD = {
  module: 'go.etcd.io/etcd/server/v3@v3.6.8',
  goSum: 'h1:U2strdSEy1U8qcSzRIdkYpvOPtBy/9i/IfaaCI9flZ4=',
  siblings: 'v3.6.8',
  programs: { etcd: '.' },
};
