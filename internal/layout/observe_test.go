package layout

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// readme's table of metrics, which a test of cmd/unconnected holds against the programs: name, type, labels.
var metricRow = regexp.MustCompile("(?m)^\\| `(unconnected_[a-z_]+)` \\| (\\w+) \\| ([^|]*) \\|")

// metricLabels are the labels of every series that the programs have.
func metricLabels(t *testing.T) map[string][]string {
	t.Helper()
	all := make(map[string][]string)
	for _, row := range metricRow.FindAllStringSubmatch(readFile(t, "README.md"), -1) {
		labels := []string{"job", "instance"} // from Prometheus
		for _, l := range quoted.FindAllStringSubmatch(row[3], -1) {
			labels = append(labels, l[1])
		}
		all[row[1]] = labels
		if row[2] == "histogram" {
			all[row[1]+"_bucket"], all[row[1]+"_sum"], all[row[1]+"_count"] = append(labels, "le"), labels, labels
		}
	}
	if len(all) < 10 {
		t.Fatalf("README.md has a table of %d metrics", len(all))
	}
	return all
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(root + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

var (
	metricUse  = regexp.MustCompile(`(unconnected_[a-z_]+)(?:\{([^}]*)\})?`)
	labelMatch = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)`)
)

// requireMetrics wants every metric and every label that an expression selects by to be one of the programs'.
func requireMetrics(t *testing.T, known map[string][]string, where, expr string) {
	t.Helper()
	for _, use := range metricUse.FindAllStringSubmatch(expr, -1) {
		labels, ok := known[use[1]]
		if !ok {
			t.Errorf("%s: there is no metric %s: %s", where, use[1], expr)
		}
		for _, match := range labelMatch.FindAllStringSubmatch(use[2], -1) {
			if !slices.Contains(labels, match[1]) {
				t.Errorf("%s: %s has no label %s: %s", where, use[1], match[1], expr)
			}
		}
	}
}

// ruleFile is a file of rules of Prometheus.
type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Alert, Expr, For    string
			Labels, Annotations map[string]string
		}
	}
}

// TestPrometheusRules: the rules use metrics that exist, say how bad it is, what happens and what to do, and each of them has
// a test (which promtool runs).
func TestPrometheusRules(t *testing.T) {
	known := metricLabels(t)
	var file ruleFile
	if err := yaml.UnmarshalWithOptions([]byte(readFile(t, "deploy/prometheus/rules.yml")), &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	tests := readFile(t, "deploy/prometheus/rules_test.yml")
	seen := make(map[string]bool)
	for _, group := range file.Groups {
		for _, r := range group.Rules {
			if r.Alert == "" || seen[r.Alert] {
				t.Errorf("%s: the name %q is empty or taken", group.Name, r.Alert)
			}
			seen[r.Alert] = true
			requireMetrics(t, known, r.Alert, r.Expr)
			if !slices.Contains([]string{"info", "warning", "critical"}, r.Labels["severity"]) {
				t.Errorf("%s has the severity %q", r.Alert, r.Labels["severity"])
			}
			for _, name := range []string{"summary", "description", "action"} {
				if r.Annotations[name] == "" {
					t.Errorf("%s has no %s", r.Alert, name)
				}
			}
			if !strings.Contains(tests, r.Alert) {
				t.Errorf("%s has no test in rules_test.yml", r.Alert)
			}
		}
	}
	requireMetrics(t, known, "rules_test.yml", tests)
}

// dashboard is what is looked at of a dashboard of Grafana.
type dashboard struct {
	UID, Title string
	Templating struct {
		List []struct{ Name, Type string }
	}
	Panels []panel
}

type panel struct {
	ID          int
	Type, Title string
	GridPos     struct{ X, Y, W, H int }
	Datasource  *datasource
	Targets     []struct {
		Expr, RefID string
		Datasource  datasource
	}
}

type datasource struct{ Type, UID string }

// TestDashboards: every dashboard is whole JSON with a uid of its own, its panels do not overlap, and they ask the data source
// that the reader chose for metrics that exist.
func TestDashboards(t *testing.T) {
	known := metricLabels(t)
	files, err := os.ReadDir(root + "/deploy/grafana/dashboards")
	if err != nil || len(files) == 0 {
		t.Fatal(err, "no dashboards")
	}
	uids := make(map[string]bool)
	for _, f := range files {
		var d dashboard
		if err := json.Unmarshal([]byte(readFile(t, "deploy/grafana/dashboards/"+f.Name())), &d); err != nil {
			t.Fatal(f.Name(), err)
		}
		if d.UID == "" || uids[d.UID] || d.Title == "" {
			t.Errorf("%s: the uid %q is empty or taken, or there is no title", f.Name(), d.UID)
		}
		uids[d.UID] = true
		if !slices.ContainsFunc(d.Templating.List, func(v struct{ Name, Type string }) bool {
			return v.Name == "datasource" && v.Type == "datasource"
		}) {
			t.Errorf("%s: one can't choose the data source", f.Name())
		}
		requirePanels(t, known, d.Panels)
	}
}

func requirePanels(t *testing.T, known map[string][]string, panels []panel) {
	t.Helper()
	taken := make(map[[2]int]string)
	ids := make(map[int]bool)
	for _, p := range panels {
		if ids[p.ID] || p.Title == "" {
			t.Errorf("%q: the id %d is taken, or there is no title", p.Title, p.ID)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%q does not fit: %q is there, or the page ends", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%q asks for nothing", p.Title)
		}
		for _, target := range p.Targets {
			if target.Datasource.UID != "${datasource}" || !strings.Contains(target.Expr, "unconnected_") {
				t.Errorf("%q asks %v for %s", p.Title, target.Datasource, target.Expr)
			}
			requireMetrics(t, known, p.Title, target.Expr)
		}
	}
}

// TestProvisioning: what Prometheus and Grafana are started with is YAML, and Prometheus asks where the daemons answer.
func TestProvisioning(t *testing.T) {
	for _, name := range []string{"datasources/prometheus.yaml", "dashboards/unconnected.yaml"} {
		var file struct {
			APIVersion             int `yaml:"apiVersion"`
			Datasources, Providers []map[string]any
		}
		content := readFile(t, "deploy/grafana/provisioning/"+name)
		if err := yaml.UnmarshalWithOptions([]byte(content), &file, yaml.Strict()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if file.APIVersion != 1 || len(file.Datasources)+len(file.Providers) == 0 {
			t.Errorf("%s provides nothing: %+v", name, file)
		}
	}
	config := readFile(t, "deploy/prometheus/prometheus.yml")
	for _, addr := range regexp.MustCompile(`127\.0\.0\.1:808[12]`).FindAllString(readFile(t, "README.md"), -1) {
		if !strings.Contains(config, addr) {
			t.Errorf("prometheus.yml does not ask %s", addr)
		}
	}
}
