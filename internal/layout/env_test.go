package layout

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"unconnected/internal/config"
)

// exampleOperations are those that .env.example shows.
var exampleOperations = config.List{"ventas", "cobranza"}

// groups are the variables that the programs share.
type groups struct {
	config.Log
	config.HTTP
	config.NATS
	config.History
}

var (
	envLine = regexp.MustCompile(`(?m)^(?:# )?([A-Z][A-Z0-9_]*)=`)
	// interpolated finds what Docker Compose reads itself.
	interpolated = regexp.MustCompile(`\$\{([A-Z_]+):-`)

	envTag = regexp.MustCompile("envconfig:\"((?:WOLKVOX|POLL|ALERT|SLACK)_[A-Z0-9_]+)\"")
)

// names returns what a pattern finds in a file, each once.
func names(t *testing.T, pattern *regexp.Regexp, file string) map[string]bool {
	t.Helper()
	content, err := os.ReadFile(root + "/" + file)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, match := range pattern.FindAllStringSubmatch(string(content), -1) {
		found[match[1]] = true
	}
	return found
}

// TestEnvExample: what people start from names only variables that exist, and every one of the daemons'.
func TestEnvExample(t *testing.T) {
	shown := names(t, envLine, ".env.example")
	compose := names(t, interpolated, "docker-compose.yml")
	compose["COMPOSE_PROFILES"] = true
	known := append(config.Known(exampleOperations), config.Names(&groups{})...)
	for name := range shown {
		if !slices.Contains(known, name) && !compose[name] {
			t.Errorf(".env.example shows %s, which no program reads", name)
		}
	}
	for name := range compose {
		if !shown[name] {
			t.Errorf(".env.example does not show %s, which docker-compose.yml reads", name)
		}
	}
	wanted := append(config.Known(nil), config.Names(&groups{})...)
	for _, name := range wanted {
		file := strings.HasSuffix(name, "_FILE")
		if !shown[name] && !file && name != "SLACK_BOT_TOKEN" && name != "HTTP_ADDR" {
			t.Errorf(".env.example does not show %s", name)
		}
	}
}

// TestKnown holds the variables that package config knows against those that specifications name in their tags, which
// this test reads from the sources so that it links neither daemon.
func TestKnown(t *testing.T) {
	known := config.Known(nil)
	read := map[string]bool{}
	for _, s := range sources(t) {
		if !s.test() {
			maps.Copy(read, names(t, envTag, s.name))
		}
	}
	for name := range read {
		if !slices.Contains(known, name) {
			t.Errorf("config.Known lacks %s", name)
		}
	}
	prefix := func(name string) string { return strings.SplitN(name, "_", 2)[0] }
	written := map[string]bool{} // prefixes of which there is a specification
	for name := range read {
		written[prefix(name)] = true
	}
	for _, name := range known {
		extra := strings.HasSuffix(name, "_FILE") || name == "SLACK_BOT_TOKEN"
		if written[prefix(name)] && !read[name] && !extra {
			t.Errorf("config.Known has %s, which no specification reads", name)
		}
	}
}

// TestDeployedSettings: what is deployed sets only variables that a program reads.
func TestDeployedSettings(t *testing.T) {
	known := append(config.Known(nil), config.Names(&groups{})...)
	known = append(known, "GOMEMLIMIT") // of Go itself
	for file, pattern := range map[string]string{
		"deploy/systemd/unconnected.env":                           `(?m)^([A-Z_]+)=`,
		"deploy/systemd/unconnected.service":                       `(?m)^Environment=(?:.* )?([A-Z_]+)=`,
		"deploy/systemd/unconnected-producer.service":              `(?m)^Environment=([A-Z_]+)=`,
		"deploy/systemd/unconnected-alerter.service":               `(?m)^Environment=([A-Z_]+)=`,
		"deploy/kubernetes/base/kustomization.yaml":                `(?m)^ +- ([A-Z_]+)=`,
		"deploy/kubernetes/overlays/production/kustomization.yaml": `(?m)^ +- ([A-Z_]+)=`,
		"deploy/kubernetes/base/producer.yaml":                     `- \{name: ([A-Z_]+), value`,
		"deploy/kubernetes/base/alerter.yaml":                      `- \{name: ([A-Z_]+), value`,
	} {
		set := names(t, regexp.MustCompile(pattern), file)
		if len(set) == 0 {
			t.Errorf("%s sets nothing", file)
		}
		for name := range set {
			if !slices.Contains(known, name) {
				t.Errorf("%s sets %s, which no program reads", file, name)
			}
		}
	}
}
