package daemon

import (
	"context"
	"fmt"
	"io"
	"os"

	"unconnected/internal/config"
)

// Program is a daemon as [Main] runs it.
type Program struct {
	Name     string            // of the binary
	About    string            // what the program is, for --help; an empty line separates paragraphs
	Config   any               // pointer to its specification (see package config), filled before Run is called
	Defaults map[string]string // :: variable → default in place of the specification's, HTTP_ADDR among them

	// Run does the work until ctx is cancelled, which it answers by returning.
	Run func(ctx context.Context, d *Daemon) error
}

// Settings are the variables that every daemon reads.
type Settings struct {
	config.Log
	config.HTTP
}

// Main runs the program with the arguments and the environment of the process, and exits.
func Main(p Program) {
	os.Exit(p.main(os.Args[1:], os.Stdout, os.Stderr))
}

// main returns the exit code.
func (p Program) main(args []string, stdout, stderr *os.File) int {
	if len(args) == 0 {
		return p.run(stderr)
	}
	if len(args) > 1 {
		return p.refuse(stderr, args[1])
	}
	switch args[0] {
	case "--help", "-help", "-h":
		return written(io.WriteString(stdout, p.help()))
	case "--version", "-version":
		return written(fmt.Fprintln(stdout, p.Name, Version()))
	case "--healthcheck", "-healthcheck":
		return p.healthcheck(stderr)
	default:
		return p.refuse(stderr, args[0])
	}
}

// written is the exit code after printing.
func written(_ int, err error) int {
	if err != nil {
		return codeFailure
	}
	return codeFine
}

func (p Program) refuse(stderr io.Writer, arg string) int {
	fmt.Fprintf(stderr, "%s: argument %q is not known or one too many; it is configured by environment variables, see %s --help\n",
		p.Name, arg, p.Name)
	return codeUsage
}

// run is the program without flags.
func (p Program) run(stderr *os.File) int {
	var settings Settings
	defaults := config.Defaults(p.Defaults)
	err := config.Join(config.Load(&settings, defaults), config.Load(p.Config, defaults))
	if err != nil {
		fmt.Fprintln(stderr, err)
		for _, w := range config.Warnings() { // a mistyped name may be why another is missing
			fmt.Fprintln(stderr, w)
		}
		return codeUsage
	}
	log := NewLogger(settings.Log, stderr)
	log.Info("starting", "program", p.Name, "version", Version())
	for _, w := range config.Warnings() {
		log.Warn("variable ignored", "name", w.Name, "reason", w.Text)
	}
	ctx, stop := Signals(context.Background(), log)
	defer stop()
	err = Run(ctx, settings, log, p.Run)
	switch code := Code(err); code {
	case codeFine:
		log.Info("stopped")
	case codeFailure:
		log.Error("stopped", "error", err)
	default:
		fmt.Fprintln(stderr, err)
	}
	return Code(err)
}
