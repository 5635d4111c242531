package main

import (
	"os"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
)

func TestCheck(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	content, err := os.ReadFile("../dashboards/unconnected.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := check(content); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new string }{
		{`"graphTooltip": 1`, `"graphTooltips": 1`},
		{`"legendFormat"`, `"legend_format"`},
		{`"showHeader": true`, `"showHeader": "yes"`},
		{`"fillOpacity": 8`, `"fillOpacity": "8"`},
		{`"panels": [`, `"panels": [7,`},
	} {
		bad := strings.Replace(string(content), c.old, c.new, 1)
		if bad == string(content) {
			t.Fatalf("%s is not in the dashboard", c.old)
		}
		if check([]byte(bad)) == nil {
			t.Errorf("%s passes", c.new)
		}
	}
}
