{{/*
The Deployment of render or encode workers, and what scales it.
dict "root" $ "part" "render-<name>" "account" "renderer" "settings" <of this one> "args" <list> "queue" <its name> "perWorker" <a number>
*/}}
{{- define "pixart.worker" -}}
{{- $root := .root }}
{{- $settings := .settings }}
{{- $name := printf "%s-%s" (include "pixart.name" $root) .part }}
{{- $about := dict "root" $root "part" .part }}
{{- if not $root.Values.bundles }}{{ fail "bundles: expected a volume with the bundles, found none" }}{{ end }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels: {{- include "pixart.labels" $about | nindent 4 }}
spec:
  {{- if $root.Values.autoscaling.enabled }}
  # No `replicas`: each upgrade would set them again, and end workers in the middle of their images. A new Deployment begins with one pod.
  {{- else }}
  replicas: {{ $settings.maxReplicas }}
  {{- end }}
  strategy:
    # A further pod would wait for a further GPU.
    rollingUpdate: { maxSurge: 0, maxUnavailable: 1 }
  selector:
    matchLabels: {{- include "pixart.selector" $about | nindent 6 }}
  template:
    metadata:
      labels: {{- include "pixart.selector" $about | nindent 8 }}
      {{- with $root.Values.podAnnotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: {{ printf "%s-%s" (include "pixart.name" $root) .account }}
      automountServiceAccountToken: false
      # The worker ends by itself, at the latest half a minute after its grace time. A spot machine of GKE gives it 15 s, whatever is said here.
      terminationGracePeriodSeconds: {{ add $settings.graceSeconds 35 }}
      securityContext: {{- include "pixart.podSecurity" $root | nindent 8 }}
      {{- with $root.Values.image.pullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- $spot := ternary (dict "cloud.google.com/gke-spot" "true") (dict) $settings.spot }}
      {{- with merge (dict) $settings.nodeSelector $spot }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- $tolerated := $settings.tolerations }}
      {{- if $settings.spot }}
      {{- $tolerated = append $tolerated (dict "key" "cloud.google.com/gke-spot" "operator" "Equal" "value" "true" "effect" "NoSchedule") }}
      {{- end }}
      {{- if gt (int $settings.gpus) 0 }}
      {{- $tolerated = append $tolerated (dict "key" "nvidia.com/gpu" "operator" "Exists" "effect" "NoSchedule") }}
      {{- end }}
      {{- with $tolerated }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: worker
          image: {{ include "pixart.image" (dict "image" $root.Values.image "gpus" $settings.gpus) | quote }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args:
            {{- toYaml .args | nindent 12 }}
            - --bundle={{ $settings.bundle }}
            - --device={{ $settings.device }}
            - --grace={{ $settings.graceSeconds }}
            {{- include "pixart.args" $root | nindent 12 }}
          env:
            {{- include "pixart.temporalEnv" $root | nindent 12 }}
            {{- include "pixart.env" $root | nindent 12 }}
            - { name: PIXART_BATCH_BUNDLES, value: /bundles }
          ports: {{- include "pixart.ports" $root | nindent 12 }}
          # Half an hour: a bundle of some gigabytes may come over a network.
          {{- include "pixart.probes" (dict "startSeconds" 1800) | nindent 10 }}
          {{- $resources := deepCopy $settings.resources }}
          {{- if gt (int $settings.gpus) 0 }}
          {{- $resources = merge (dict "limits" (dict "nvidia.com/gpu" (int $settings.gpus))) $resources }}
          {{- end }}
          resources: {{- toYaml $resources | nindent 12 }}
          securityContext: {{- include "pixart.containerSecurity" $root | nindent 12 }}
          volumeMounts:
            {{- include "pixart.mounts" $root | nindent 12 }}
            {{- with include "pixart.temporalMounts" $root | trim }}{{ . | nindent 12 }}{{ end }}
            - { name: bundles, mountPath: /bundles, readOnly: true }
      volumes:
        {{- include "pixart.volumes" $root | nindent 8 }}
        {{- with include "pixart.temporalVolumes" $root | trim }}{{ . | nindent 8 }}{{ end }}
        - name: bundles
          {{- toYaml $root.Values.bundles | nindent 10 }}
{{- if $root.Values.autoscaling.enabled }}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {{ $name }}
  labels: {{- include "pixart.labels" $about | nindent 4 }}
spec:
  scaleTargetRef:
    name: {{ $name }}
  pollingInterval: {{ $root.Values.autoscaling.pollingSeconds }}
  cooldownPeriod: {{ $root.Values.autoscaling.cooldownSeconds }}
  minReplicaCount: {{ $settings.minReplicas }}
  maxReplicaCount: {{ $settings.maxReplicas }}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleDown:
          stabilizationWindowSeconds: {{ $root.Values.autoscaling.cooldownSeconds }}
  # No fallback: where nobody can say how much work there is, the pods stay as they are.
  triggers:
    - type: metrics-api
      metadata:
        url: http://{{ include "pixart.name" $root }}-orchestrator.{{ $root.Release.Namespace }}.svc:8080/wanted/{{ .queue }}
        valueLocation: wanted
        targetValue: {{ .perWorker | quote }}
        timeout: 8s
{{- end }}
{{- end }}
