{{/* The pod, for the StatefulSet and the Deployment. */}}
{{- define "chatflow-bridge.pod" -}}
metadata:
  labels:
    # Without the chart's version: a new chart alone is no reason for a restart.
    {{- include "chatflow-bridge.selectorLabels" . | nindent 4 }}
    {{- with .Values.commonLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    kubectl.kubernetes.io/default-container: bridge
    # Settings are read at the start: a change has to start the pods anew.
    checksum/settings: {{ include "chatflow-bridge.settings" . | sha256sum }}
    {{- if and (eq .Values.mappings.reload "rollout") .Values.mappings.files }}
    checksum/mappings: {{ toYaml .Values.mappings.files | sha256sum }}
    {{- end }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "chatflow-bridge.serviceAccountName" . }}
  automountServiceAccountToken: {{ .Values.serviceAccount.automountToken }}
  # Else a Service called `bridge` puts BRIDGE_PORT=tcp://… among the variables that are read as settings.
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  {{- with .Values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with include "chatflow-bridge.spread" . }}
  {{- trim . | nindent 2 }}
  {{- end }}
  {{- with .Values.initContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: bridge
      image: {{ include "chatflow-bridge.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: [serve]
      # The settings file of the current folder is read by every command: `kubectl exec … chatflow-bridge config` sees what is in force.
      workingDir: /config
      {{- with include "chatflow-bridge.env" . }}
      env:
        {{- trim . | nindent 8 }}
      {{- end }}
      {{- with .Values.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: hooks
          containerPort: 8080
          protocol: TCP
        - name: metrics
          containerPort: 9090
          protocol: TCP
      startupProbe:
        {{- toYaml .Values.startupProbe | nindent 8 }}
      livenessProbe:
        {{- toYaml .Values.livenessProbe | nindent 8 }}
      readinessProbe:
        {{- toYaml .Values.readinessProbe | nindent 8 }}
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      volumeMounts:
        - name: config
          mountPath: /config
          readOnly: true
        # A folder and never a subPath: only so a changed ConfigMap arrives.
        - name: mappings
          mountPath: /mappings
          readOnly: true
        - name: tmp
          mountPath: /tmp
        {{- if eq .Values.store.kind "sqlite" }}
        - name: data
          mountPath: /data
        {{- end }}
        {{- if include "chatflow-bridge.credentials" . }}
        - name: credentials
          mountPath: /credentials
          readOnly: true
        {{- end }}
        {{- range .Values.hookSecrets.files }}
        - name: secret-{{ .secret | replace "." "-" }}
          mountPath: /secrets/{{ .secret }}
          readOnly: true
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- with .Values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ include "chatflow-bridge.fullname" . }}-settings
    - name: mappings
      configMap:
        name: {{ include "chatflow-bridge.mappingsConfigMap" . }}
    - name: tmp
      emptyDir:
        sizeLimit: 64Mi
    {{- with include "chatflow-bridge.credentials" . }}
    - name: credentials
      projected:
        # Read by the group, which is the fsGroup.
        defaultMode: 0440
        sources:
          {{- trim . | nindent 10 }}
    {{- end }}
    {{- range .Values.hookSecrets.files }}
    - name: secret-{{ .secret | replace "." "-" }}
      secret:
        secretName: {{ .secret }}
        defaultMode: 0440
        # A source whose secret is missing answers 503; the others go on.
        optional: true
    {{- end }}
    {{- if and (eq .Values.store.kind "sqlite") .Values.store.sqlite.existingClaim }}
    - name: data
      persistentVolumeClaim:
        claimName: {{ .Values.store.sqlite.existingClaim }}
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{/* What the chart itself gives as files. */}}
{{- define "chatflow-bridge.credentials" -}}
{{- if eq .Values.chatflow.apiKey.as "file" -}}
- secret:
    name: {{ include "chatflow-bridge.apiKeySecret" . }}
    items:
      - key: {{ .Values.chatflow.apiKey.key }}
        path: api-key
{{- end }}
{{- if .Values.admin.token.existingSecret }}
- secret:
    name: {{ .Values.admin.token.existingSecret }}
    items:
      - key: {{ .Values.admin.token.key }}
        path: admin-token
{{- end }}
{{- end }}

{{- define "chatflow-bridge.env" -}}
{{- if eq .Values.chatflow.apiKey.as "env" }}
- name: BRIDGE_CHATFLOW__API_KEY
  valueFrom:
    secretKeyRef:
      name: {{ include "chatflow-bridge.apiKeySecret" . }}
      key: {{ .Values.chatflow.apiKey.key }}
{{- end }}
{{- if eq .Values.store.kind "postgres" }}
- name: BRIDGE_STORE__URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.store.postgres.existingSecret }}
      key: {{ .Values.store.postgres.key }}
{{- end }}
{{- range $name, $from := .Values.hookSecrets.env }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $from.secret }}
      key: {{ $from.key }}
      optional: true
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "chatflow-bridge.spread" -}}
{{- $selector := include "chatflow-bridge.selectorLabels" . | fromYaml }}
{{- $wanted := .Values.topologySpreadConstraints }}
{{- if and (not $wanted) (include "chatflow-bridge.several" .) }}
{{- $wanted = list
  (dict "maxSkew" 1 "topologyKey" "kubernetes.io/hostname" "whenUnsatisfiable" "ScheduleAnyway")
  (dict "maxSkew" 1 "topologyKey" "topology.kubernetes.io/zone" "whenUnsatisfiable" "ScheduleAnyway") }}
{{- end }}
{{- if $wanted }}
topologySpreadConstraints:
{{- range $wanted }}
  - {{ toYaml (merge (dict "labelSelector" (dict "matchLabels" $selector)) .) | nindent 4 | trim }}
{{- end }}
{{- end }}
{{- end }}
