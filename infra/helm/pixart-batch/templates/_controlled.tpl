{{/* Orchestrators as Temporal's Worker Controller has them: it makes a Deployment for each version, and takes it away when its batches have ended. */}}
{{- define "pixart.controlled" -}}
{{- $name := printf "%s-orchestrator" (include "pixart.name" .) }}
{{- $labels := include "pixart.labels" (dict "root" $ "part" "orchestrator") }}
{{- $versions := .Values.orchestrator.versions }}
{{- $temporal := .Values.temporal }}
{{- if or $versions.deployment $versions.buildId $versions.earlier }}
{{- fail "orchestrator.versions: expected `controller` or `deployment`, `buildId` and `earlier`, found both; the controller names deployment and builds itself" }}
{{- end }}
{{- if and $temporal.apiKeySecret $temporal.tlsSecret }}
{{- fail "temporal: expected `apiKeySecret` or `tlsSecret`, found both; the Worker Controller takes one" }}
{{- end }}
{{- if $temporal.caSecret }}
{{- fail "temporal.caSecret: expected none beside orchestrator.versions.controller, which cannot be told of an authority" }}
{{- end }}
apiVersion: temporal.io/v1alpha1
kind: Connection
metadata:
  name: {{ $name }}
  labels: {{- $labels | nindent 4 }}
spec:
  hostPort: {{ $temporal.address | quote }}
  {{- with $temporal.apiKeySecret }}
  apiKeySecretRef: { name: {{ . }}, key: api-key }
  {{- end }}
  {{- with $temporal.tlsSecret }}
  mutualTLSSecretRef: { name: {{ . }} }
  {{- end }}
---
apiVersion: temporal.io/v1alpha1
kind: WorkerDeployment
metadata:
  name: {{ $name }}
  labels: {{- $labels | nindent 4 }}
spec:
  replicas: {{ .Values.orchestrator.replicas }}
  workerOptions:
    connectionRef: { name: {{ $name }} }
    temporalNamespace: {{ $temporal.namespace }}
  rollout: {{- toYaml $versions.controller.rollout | nindent 4 }}
  sunset: {{- toYaml $versions.controller.sunset | nindent 4 }}
  template:
    {{- include "pixart.orchestratorPod" (dict "root" $ "build" "" "image" (include "pixart.image" (dict "image" $.Values.image "gpus" 0))) | nindent 4 }}
{{- end }}
