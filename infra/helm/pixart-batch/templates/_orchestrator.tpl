{{/*
The Deployment of orchestrators, of all of them or of one version of the workflows.
dict "root" $ "build" <its build id, or empty> "image" <its image>
*/}}
{{- define "pixart.orchestrator" -}}
{{- $this := . }}
{{- $build := .build }}
{{- with .root }}
{{- $about := dict "root" . "part" "orchestrator" }}
{{- /* A build id may have characters that a name may not. */}}
{{- $name := printf "%s-orchestrator%s" (include "pixart.name" .) (empty $build | ternary "" (printf "-%s" (sha256sum $build | trunc 8))) }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels: {{- include "pixart.labels" $about | nindent 4 }}
spec:
  replicas: {{ .Values.orchestrator.replicas }}
  {{- if not $build }}
  # Versions of workflows must not mix: all stop, then the new ones start, and batches wait meanwhile.
  strategy: { type: Recreate }
  {{- end }}
  selector:
    matchLabels: {{- include "pixart.orchestratorSelector" $this | nindent 6 }}
  template:
    {{- include "pixart.orchestratorPod" $this | nindent 4 }}
{{- end }}
{{- end }}

{{- define "pixart.orchestratorSelector" -}}
{{ include "pixart.selector" (dict "root" .root "part" "orchestrator") }}
{{- with .build }}
pixart-batch/build-id: {{ . | quote }}
{{- end }}
{{- end }}

{{/* As pixart.orchestrator. With the Worker Controller the build is empty, and it adds the server, the deployment and the build itself. */}}
{{- define "pixart.orchestratorPod" -}}
{{- $this := . }}
{{- $build := .build }}
{{- with .root }}
{{- $about := dict "root" . "part" "orchestrator" }}
{{- $isControlled := .Values.orchestrator.versions.controller.enabled }}
metadata:
  labels:
    {{- include "pixart.selector" $about | nindent 4 }}
    {{- with $build }}
    pixart-batch/build-id: {{ . | quote }}
    {{- end }}
  {{- with .Values.podAnnotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "pixart.name" . }}-orchestrator
  automountServiceAccountToken: false
  # Five seconds of preStop, ten for a record in hand, and some to spare.
  terminationGracePeriodSeconds: 30
  securityContext: {{- include "pixart.podSecurity" . | nindent 4 }}
  {{- with .Values.image.pullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{- include "pixart.orchestratorSelector" $this | nindent 10 }}
  {{- with .Values.orchestrator.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.orchestrator.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: orchestrator
      image: {{ $this.image | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - worker
        - --orchestrator
        {{- if $build }}
        - --deployment={{ .Values.orchestrator.versions.deployment }}
        - --build-id={{ $build }}
        {{- end }}
        {{- include "pixart.args" . | nindent 8 }}
      env:
        {{- if not $isControlled }}
        {{- include "pixart.temporalEnv" . | nindent 8 }}
        {{- end }}
        {{- include "pixart.env" . | nindent 8 }}
        {{- with .Values.webhookSecret }}
        - { name: PIXART_WEBHOOK_SECRET, valueFrom: { secretKeyRef: { name: {{ . }}, key: secret } } }
        {{- end }}
      {{- with .Values.messagesSecret }}
      envFrom:
        - secretRef: { name: {{ . }} }
      {{- end }}
      ports: {{- include "pixart.ports" . | nindent 8 }}
      {{- include "pixart.probes" (dict "startSeconds" 300) | nindent 6 }}
      lifecycle:
        # The service names the pod for some seconds yet, and KEDA asks there.
        preStop: { sleep: { seconds: 5 } }
      resources: {{- toYaml .Values.orchestrator.resources | nindent 8 }}
      securityContext: {{- include "pixart.containerSecurity" . | nindent 8 }}
      volumeMounts:
        {{- include "pixart.mounts" . | nindent 8 }}
        {{- if not $isControlled }}
        {{- with include "pixart.temporalMounts" . | trim }}{{ . | nindent 8 }}{{ end }}
        {{- end }}
  volumes:
    {{- include "pixart.volumes" . | nindent 4 }}
    {{- if not $isControlled }}
    {{- with include "pixart.temporalVolumes" . | trim }}{{ . | nindent 4 }}{{ end }}
    {{- end }}
{{- end }}
{{- end }}
