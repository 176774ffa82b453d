{{- define "modelpolicy.name" -}}
{{- ternary .Release.Name (printf "%s-modelpolicy" .Release.Name) (contains "modelpolicy" .Release.Name) | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "modelpolicy.lease" -}}
{{- .Values.leaseName | default (include "modelpolicy.name" .) -}}
{{- end -}}

{{- define "modelpolicy.selector" -}}
app.kubernetes.io/name: modelpolicy
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "modelpolicy.labels" -}}
{{ include "modelpolicy.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* Non-empty on Kubernetes 1.29, which knows neither selectable fields nor admission policies of v1. */}}
{{- define "modelpolicy.old" -}}
{{- if semverCompare "<1.30-0" (.Values.kubeVersion | default .Capabilities.KubeVersion.Version) }}old{{ end -}}
{{- end -}}

{{- define "modelpolicy.subjects" -}}
subjects:
- kind: ServiceAccount
  name: {{ include "modelpolicy.name" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}

{{/* What the operator may do with policies: the rules of deploy/kustomize. */}}
{{- define "modelpolicy.rules" -}}
{{- $role := index (splitList "\n---\n" (.Files.Get "files/cluster-role.yaml")) 0 | fromYaml -}}
rules:
{{ toYaml $role.rules }}
{{- end -}}
