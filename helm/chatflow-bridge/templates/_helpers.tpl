{{- define "chatflow-bridge.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{/* 50 letters leave room for `-metrics`, and for the hash that a StatefulSet adds to a label. */}}
{{- define "chatflow-bridge.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- $name := include "chatflow-bridge.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "chatflow-bridge.selectorLabels" -}}
app.kubernetes.io/name: {{ include "chatflow-bridge.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: bridge
{{- end }}

{{- define "chatflow-bridge.testLabels" -}}
app.kubernetes.io/name: {{ include "chatflow-bridge.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: test
{{- end }}

{{- define "chatflow-bridge.commonLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ default .Chart.AppVersion .Values.image.tag | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "chatflow-bridge.labels" -}}
{{ include "chatflow-bridge.selectorLabels" . }}
{{ include "chatflow-bridge.commonLabels" . }}
{{- end }}

{{- define "chatflow-bridge.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "chatflow-bridge.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "chatflow-bridge.image" -}}
{{- $repository := required "image.repository: where is the image? Build it with `make image`, push it to your registry, and give its name" .Values.image.repository }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "chatflow-bridge.mappingsConfigMap" -}}
{{- default (printf "%s-mappings" (include "chatflow-bridge.fullname" .)) .Values.mappings.existingConfigMap }}
{{- end }}

{{- define "chatflow-bridge.apiKeySecret" -}}
{{- default (printf "%s-api-key" (include "chatflow-bridge.fullname" .)) .Values.chatflow.apiKey.existingSecret }}
{{- end }}

{{/* Not empty where more than one pod may run. */}}
{{- define "chatflow-bridge.several" -}}
{{- if eq .Values.store.kind "postgres" }}
{{- if ternary (gt (int .Values.autoscaling.maxReplicas) 1) (gt (int .Values.replicaCount) 1) .Values.autoscaling.enabled }}yes{{ end }}
{{- end }}
{{- end }}

{{/* The settings file: what was given, and what the chart decides. */}}
{{- define "chatflow-bridge.settings" -}}
{{- $server := dict "hooks" "0.0.0.0:8080" "metrics" "0.0.0.0:9090" "admin" "127.0.0.1:9091" "drain_delay" (printf "%ds" (int .Values.drain.delaySeconds)) "shutdown_grace" (printf "%ds" (int .Values.drain.graceSeconds)) }}
{{- $own := dict "server" $server "mappings" (dict "dir" "/mappings") "log" (dict "format" "json") }}
{{- if eq .Values.store.kind "sqlite" }}
{{- $_ := set $own "store" (dict "url" "sqlite:/data/bridge.db") }}
{{- end }}
{{- if eq .Values.chatflow.apiKey.as "file" }}
{{- $_ := set $own "chatflow" (dict "api_key_file" "/credentials/api-key") }}
{{- end }}
{{- if .Values.admin.token.existingSecret }}
{{- $_ := set $own "admin" (dict "token_file" "/credentials/admin-token") }}
{{- end }}
{{- toYaml (mergeOverwrite $own (deepCopy .Values.settings)) }}
{{- end }}

{{/* What fits a schema and still cannot work. */}}
{{- define "chatflow-bridge.check" -}}
{{- $problems := list }}
{{- if eq .Values.store.kind "sqlite" }}
{{- if gt (int .Values.replicaCount) 1 }}
{{- $problems = append $problems "replicaCount: a SQLite store is held by one pod, and two would break the order of a contact's updates; set it to 1, or store.kind to postgres" }}
{{- end }}
{{- if .Values.autoscaling.enabled }}
{{- $problems = append $problems "autoscaling: a SQLite store is held by one pod; switch it off, or set store.kind to postgres" }}
{{- end }}
{{- else if not .Values.store.postgres.existingSecret }}
{{- $problems = append $problems "store.postgres.existingSecret: name the Secret with the URL of the database" }}
{{- end }}
{{- if and .Values.mappings.files .Values.mappings.existingConfigMap }}
{{- $problems = append $problems "mappings: give either files or existingConfigMap" }}
{{- else if not (or .Values.mappings.files .Values.mappings.existingConfigMap) }}
{{- $problems = append $problems "mappings: there are none; give files (--set-file 'mappings.files.crm\\.yaml=crm.yaml') or existingConfigMap" }}
{{- end }}
{{- if and .Values.chatflow.apiKey.value .Values.chatflow.apiKey.existingSecret }}
{{- $problems = append $problems "chatflow.apiKey: give either existingSecret or value" }}
{{- else if not (or .Values.chatflow.apiKey.value .Values.chatflow.apiKey.existingSecret) }}
{{- $problems = append $problems "chatflow.apiKey.existingSecret: name the Secret with the API key (kubectl create secret generic chatflow --from-file=api-key=FILE)" }}
{{- end }}
{{- if lt (int .Values.drain.graceSeconds) (add (int .Values.drain.delaySeconds) 1) }}
{{- $problems = append $problems "drain.graceSeconds: it includes drain.delaySeconds, and has to be longer" }}
{{- end }}
{{- if lt (int .Values.terminationGracePeriodSeconds) (add (int .Values.drain.graceSeconds) 5) }}
{{- $problems = append $problems "terminationGracePeriodSeconds: at least 5 more than drain.graceSeconds, or the kubelet kills a pod that still drains" }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) }}
{{- $problems = append $problems "ingress.hosts: name at least one" }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
{{- $problems = append $problems "httpRoute.parentRefs: name at least one gateway" }}
{{- end }}
{{- if and .Values.monitoring.serviceMonitor.enabled .Values.monitoring.podMonitor.enabled }}
{{- $problems = append $problems "monitoring: serviceMonitor and podMonitor would scrape every pod twice; enable one" }}
{{- end }}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) }}
{{- $problems = append $problems "autoscaling: minReplicas is above maxReplicas" }}
{{- end }}
{{- if $problems }}
{{- fail (printf "\n\n  - %s\n" (join "\n  - " $problems)) }}
{{- end }}
{{- end }}
