package daemon

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
)

// version is set by the linker (-X) where no version control is at hand while building, as in an image.
var version string

// Version describes the build: module version, revision if known, Go version and platform.
func Version() string {
	module, revision := build()
	return fmt.Sprintf("%s%s %s %s/%s", module, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// build is the module version and, if known, the revision with a space before it.
func build() (module, revision string) {
	module = cmp.Or(version, "(devel)")
	if info, ok := debug.ReadBuildInfo(); ok {
		module = cmp.Or(version, info.Main.Version, module)
		revision = revisionOf(info.Settings)
	}
	return module, revision
}

// buildInfo tells which build this is, as Prometheus' own programs do.
func buildInfo() prometheus.Collector {
	module, revision := build()
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "unconnected_build_info", Help: "The build, in the labels; always 1.",
	}, []string{"version", "goversion"})
	info.WithLabelValues(module+revision, runtime.Version()).Set(1)
	return info
}

// revisionOf is the revision of the sources, empty when the build does not know it.
func revisionOf(settings []debug.BuildSetting) string {
	var revision, modified string
	for _, s := range settings {
		switch {
		case s.Key == "vcs.revision":
			revision = " revision " + s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = " (modified)"
		}
	}
	if revision == "" {
		return ""
	}
	return revision + modified
}
