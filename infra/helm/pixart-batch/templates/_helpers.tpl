{{/* Names leave room for what KEDA puts before them: an HPA is keda-hpa-<name>, of 63 characters at most. */}}
{{- define "pixart.name" -}}
{{ .Release.Name | trunc 20 | trimSuffix "-" }}
{{- end }}

{{/* dict "root" $ "part" "render-<name>" */}}
{{- define "pixart.labels" -}}
{{ include "pixart.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{/* All that pods have: a label with the version of the chart would have every release start them anew. */}}
{{- define "pixart.selector" -}}
app.kubernetes.io/name: pixart-batch
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{/* dict "image" <values> "gpus" <of the pod> */}}
{{- define "pixart.image" -}}
{{- $image := .image -}}
{{- $digest := $image.digest -}}
{{- $tag := $image.tag -}}
{{- if and (gt (int .gpus) 0) (or $image.gpuDigest $image.gpuTag) -}}
{{- $digest = $image.gpuDigest -}}
{{- $tag = $image.gpuTag -}}
{{- end -}}
{{- if $digest }}{{ $image.repository }}@{{ $digest }}
{{- else }}{{ $image.repository }}:{{ required "image.digest or image.tag: expected which image, found neither" $tag }}
{{- end }}
{{- end }}

{{/* As workflows/contract/queues.ts names them. */}}
{{- define "pixart.renderQueue" -}}
render-{{ .size }}-{{ .bundleDigest | trunc 12 }}{{ if .large }}-large{{ end }}
{{- end }}

{{/* As models/renderer/picture-facts.ts and workflows/contract/limits.ts count them, for square images with guidance. */}}
{{- define "pixart.imagesInHand" -}}
{{- $images := .microBatch | default 1 | int }}
{{- $inCall := min $images (get (dict "256" 32 "512" 8 "1024" 2) .size | default 1) }}
{{- $places := div (add $images $inCall -1) $inCall }}
{{- mul (add 1 (.children | default 1)) (div $images $places) }}
{{- end }}

{{- define "pixart.encodeQueue" -}}
encode-{{ .encoderDigest | trunc 12 }}
{{- end }}

{{- define "pixart.temporalPort" -}}
{{ regexFind "[0-9]+$" .Values.temporal.address }}
{{- end }}

{{- define "pixart.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .Values.runAsUser }}
runAsGroup: {{ .Values.runAsUser }}
fsGroup: {{ .Values.runAsUser }}
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "pixart.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* Where the server is and how to get in; where the Worker Controller is in charge, it says so itself. */}}
{{- define "pixart.temporalEnv" -}}
- { name: TEMPORAL_ADDRESS, value: {{ .Values.temporal.address | quote }} }
- { name: TEMPORAL_NAMESPACE, value: {{ .Values.temporal.namespace | quote }} }
{{- with .Values.temporal.apiKeySecret }}
- { name: TEMPORAL_API_KEY, valueFrom: { secretKeyRef: { name: {{ . }}, key: api-key } } }
{{- end }}
{{- if .Values.temporal.tlsSecret }}
- { name: TEMPORAL_TLS_CLIENT_CERT_PATH, value: /etc/pixart/tls/tls.crt }
- { name: TEMPORAL_TLS_CLIENT_KEY_PATH, value: /etc/pixart/tls/tls.key }
{{- end }}
{{- if .Values.temporal.caSecret }}
- { name: TEMPORAL_TLS_SERVER_CA_CERT_PATH, value: /etc/pixart/ca/ca.crt }
{{- end }}
{{- end }}

{{- define "pixart.env" -}}
{{- if .Values.encryptionKeysSecret }}
- { name: PIXART_ENCRYPTION_KEY_FILE, value: /etc/pixart/encryption/keys.txt }
{{- end }}
# The only places that can be written to.
- { name: XDG_CACHE_HOME, value: /tmp/cache }
- { name: HOME, value: /tmp }
{{- with .Values.env }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "pixart.temporalMounts" -}}
{{- if .Values.temporal.tlsSecret }}
- { name: tls, mountPath: /etc/pixart/tls, readOnly: true }
{{- end }}
{{- if .Values.temporal.caSecret }}
- { name: ca, mountPath: /etc/pixart/ca, readOnly: true }
{{- end }}
{{- end }}

{{- define "pixart.mounts" -}}
- { name: tmp, mountPath: /tmp }
{{- if .Values.encryptionKeysSecret }}
- { name: encryption, mountPath: /etc/pixart/encryption, readOnly: true }
{{- end }}
{{- end }}

{{- define "pixart.temporalVolumes" -}}
{{- with .Values.temporal.tlsSecret }}
- name: tls
  secret: { secretName: {{ . }}, defaultMode: 0440 }
{{- end }}
{{- with .Values.temporal.caSecret }}
- name: ca
  secret: { secretName: {{ . }}, defaultMode: 0440 }
{{- end }}
{{- end }}

{{- define "pixart.volumes" -}}
- name: tmp
  emptyDir: {}
{{- with .Values.encryptionKeysSecret }}
- name: encryption
  secret: { secretName: {{ . }}, defaultMode: 0440 }
{{- end }}
{{- end }}

{{- define "pixart.ports" -}}
- { name: http, containerPort: 8080 }
- { name: metrics, containerPort: 9464 }
{{- end }}

{{/* A worker that hangs is one whose process answers nobody for two minutes; planning a large batch may keep it busy for seconds. */}}
{{- define "pixart.probes" -}}
startupProbe:
  httpGet: { path: /health, port: http }
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: {{ div .startSeconds 5 }}
readinessProbe:
  httpGet: { path: /health, port: http }
  periodSeconds: 10
  timeoutSeconds: 5
livenessProbe:
  httpGet: { path: /health, port: http }
  periodSeconds: 20
  timeoutSeconds: 10
  failureThreshold: 6
{{- end }}

{{- define "pixart.args" -}}
- --http-address=0.0.0.0:8080
- --metrics-address=0.0.0.0:9464
- --log=json
{{- range .Values.allow }}
- {{ printf "--allow=%s" . | quote }}
{{- end }}
{{- end }}

{{/* Deployments are named by them. */}}
{{- define "pixart.uniqueNames" -}}
{{- $seen := dict }}
{{- range .entries }}
{{- if hasKey $seen .name }}{{ fail (printf "%s: expected names that differ, found %q twice" $.list .name) }}{{ end }}
{{- $_ := set $seen .name true }}
{{- end }}
{{- end }}
