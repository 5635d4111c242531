package main

import (
	"os"
	"strings"
	"testing"
)

// manifests are those of the base, with what kustomize generates and adds.
func manifests(t *testing.T) string {
	t.Helper()
	all := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: unconnected-settings}\n---\n" +
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: unconnected-rules}\n"
	for _, name := range []string{"serviceaccount", "producer", "alerter", "disruption", "network"} {
		content, err := os.ReadFile("../base/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		all += "---\n" + string(content)
	}
	for _, name := range []string{"producer", "alerter"} {
		template := "    metadata:\n      labels: {app.kubernetes.io/name: " + name
		all = strings.ReplaceAll(all, template, template+", app.kubernetes.io/part-of: unconnected")
	}
	return all
}

func check(text string) error {
	objects, err := read(strings.NewReader(text))
	if err != nil {
		return err
	}
	return Check(objects)
}

func TestCheck(t *testing.T) {
	good := manifests(t)
	if err := check(good); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, new, want string }{
		"a misspelt field":          {"replicas: 2", "replica: 2", `unknown field "spec.replica"`},
		"a wrong type":              {"replicas: 2", "replicas: two", "Deployment"},
		"an unknown kind":           {"kind: Deployment", "kind: Deploiment", "Deploiment"},
		"one replica":               {"replicas: 2", "replicas: 1", "one replica"},
		"root":                      {"runAsUser: 65532", "runAsUser: 0", "65532"},
		"a writable root":           {"readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "may write"},
		"capabilities":              {"drop: [ALL]", "drop: [NET_RAW]", "capabilities"},
		"a token of Kubernetes":     {"      automountServiceAccountToken: false\n", "", "token of Kubernetes"},
		"restarted for Slack":       {"path: /healthz", "path: /readyz", "being stuck"},
		"without limit":             {"limits: {memory", "limits: {cpu", "limit of memory"},
		"a lost ConfigMap":          {"configMapRef: {name: unconnected-settings}", "configMapRef: {name: settings}", "no ConfigMap settings"},
		"a lost volume":             {"- name: secrets\n", "- name: secret\n", "no volume secrets"},
		"the wrong pods":            {"  selector:\n    matchLabels: {app.kubernetes.io/name: alerter}\n  template", "  selector:\n    matchLabels: {app.kubernetes.io/name: x}\n  template", "other pods"},
		"NATS out of reach":         {"name: nats}\n      ports:\n        - {protocol: TCP, port: 4222}", "name: nats, x: other}\n      ports:\n        - {protocol: TCP, port: 4222}", "from NATS"},
		"NATS behind its own wall":  {"part-of: unconnected}\n      ports", "part-of: other}\n      ports", "from NATS"},
		"a Secret for everybody":    {"defaultMode: 0440", "defaultMode: 0444", "its group"},
		"a secret as a variable":    {"- {name: LOG_FORMAT, value: json}", "- {name: T, valueFrom: {secretKeyRef: {name: a, key: b}}}", "not read again"},
		"no budget for the alerter": {"matchLabels: {app.kubernetes.io/name: alerter}\n---", "matchLabels: {app.kubernetes.io/name: x}\n---", "no disruption budget"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := strings.ReplaceAll(good, c.old, c.new)
			if bad == good {
				t.Fatalf("%q is not in the manifests", c.old)
			}
			if err := check(bad); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
