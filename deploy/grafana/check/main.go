// Command check holds dashboards against Grafana's own types: a field that is unknown, misspelt, missing or of the wrong type is an
// error. It needs no Grafana.
//
//	go -C deploy/grafana/check run . "$PWD"/deploy/grafana/dashboards/*.json
//
// It is a module of its own, so that Grafana's types are no dependency of the programs.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	plugins.RegisterDefaultPlugins() // the kinds of panels and queries
	wrong := len(os.Args) < 2
	for _, name := range os.Args[1:] {
		data, err := os.ReadFile(name)
		if err == nil {
			err = check(data)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			wrong = true
		}
	}
	if wrong {
		os.Exit(1)
	}
	fmt.Printf("%d dashboards are as Grafana wants them\n", len(os.Args)-1)
}

// check says what is wrong with a dashboard.
func check(data []byte) error {
	var d dashboard.Dashboard
	if err := d.UnmarshalJSONStrict(data); err != nil && err.Error() != "" { // an empty list of problems is no nil
		return err
	}
	return d.Validate()
}
