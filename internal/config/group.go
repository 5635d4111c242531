package config

import (
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"
)

// Log is how a program logs.
type Log struct {
	Level  string `envconfig:"LOG_LEVEL" default:"info" oneof:"debug,info,warn,error" desc:"the least level that is logged: debug, info, warn or error"`
	Format string `envconfig:"LOG_FORMAT" default:"auto" oneof:"auto,text,json" desc:"text, json, or auto: text on a terminal, JSON otherwise"`
}

// SlogLevel is the level as log/slog has it.
func (l Log) SlogLevel() slog.Level {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.Level)); err != nil {
		return slog.LevelInfo // the zero Log
	}
	return level
}

// HTTP is where a daemon answers questions about itself.
type HTTP struct {
	Addr HTTPAddr `envconfig:"HTTP_ADDR" default:"127.0.0.1:8080" desc:"where /healthz, /readyz and /metrics are served; off: nowhere"`
}

// NATS is how a program connects to NATS, and how many copies of its streams and buckets it wants.
type NATS struct {
	URL      List   `envconfig:"NATS_URL" default:"nats://127.0.0.1:4222" desc:"servers of the NATS cluster, separated by commas"`
	Creds    File   `envconfig:"NATS_CREDS" desc:"credentials file (JWT and seed), or the file of an nkey's seed"`
	User     string `envconfig:"NATS_USER" desc:"user name, with NATS_PASSWORD"`
	Password Secret `envconfig:"NATS_PASSWORD" desc:"password of NATS_USER"`
	CA       File   `envconfig:"NATS_CA" desc:"file with the certificates (PEM) to trust instead of the system's"`
	Cert     File   `envconfig:"NATS_CERT" desc:"client certificate (PEM), with NATS_KEY"`
	Key      File   `envconfig:"NATS_KEY" desc:"key of NATS_CERT (PEM)"`
	Replicas int    `envconfig:"NATS_REPLICAS" default:"1" desc:"replicas of streams and buckets that are created, 1 to 5"`
}

// Validate checks what belongs together.
func (n *NATS) Validate() []Problem {
	problems := n.checkURLs()
	if n.Replicas < 1 || n.Replicas > 5 {
		problems = append(problems, Problemf("NATS_REPLICAS", "%d is not between 1 and 5, for example 3", n.Replicas))
	}
	problems = append(problems, together("NATS_USER", n.User != "", "NATS_PASSWORD", n.Password.IsSet())...)
	problems = append(problems, together("NATS_CERT", n.Cert != "", "NATS_KEY", n.Key != "")...)
	if n.Creds != "" && n.User != "" {
		problems = append(problems, Problemf("NATS_CREDS", "is set as well as NATS_USER: give one of them"))
	}
	return problems
}

// checkURLs does not show the entries: they may contain a password.
func (n *NATS) checkURLs() []Problem {
	var problems []Problem
	for i, entry := range n.URL {
		if !strings.Contains(entry, "://") {
			entry = "nats://" + entry
		}
		if err := CheckURL(entry, "nats", "tls", "ws", "wss"); err != nil {
			problems = append(problems, Problemf("NATS_URL", "entry %d %v, for example nats://127.0.0.1:4222", i+1, err))
		}
	}
	return problems
}

// Servers lists the cluster's URLs for a log, without passwords.
func (n *NATS) Servers() string {
	servers := make([]string, len(n.URL))
	for i, entry := range n.URL {
		if !strings.Contains(entry, "://") {
			entry = "nats://" + entry // or a user would be read as a scheme
		}
		servers[i] = entry
		if u, err := url.Parse(entry); err == nil && u.User != nil {
			u.User = nil
			servers[i] = u.String()
		}
	}
	return strings.Join(servers, ",")
}

// together is a problem when only one of two variables is set that need each other.
func together(a string, aSet bool, b string, bSet bool) []Problem {
	missing := func(name, other string) []Problem {
		return []Problem{{Name: name, Text: fmt.Sprintf("is not set, but %s is: they need each other", other)}}
	}
	switch {
	case aSet && !bSet:
		return missing(b, a)
	case bSet && !aSet:
		return missing(a, b)
	default:
		return nil
	}
}

// History is how much the stream CALLS retains.
type History struct {
	MaxAge   Duration `envconfig:"HISTORY_MAX_AGE" default:"400d" desc:"how long history is kept; the oldest goes first"`
	MaxBytes Size     `envconfig:"HISTORY_MAX_BYTES" default:"2GiB" desc:"how large history may grow, counted before compression (400 days of one operation: 120 MiB); the oldest goes first, a warning 90 days before and from 80 %"`
}

// Validate refuses limits that leave no history, such as a size without its unit.
func (h *History) Validate() []Problem {
	const (
		leastAge   = Duration(time.Hour)
		leastBytes = Size(1 << 20)
	)
	var problems []Problem
	if h.MaxAge < leastAge {
		problems = append(problems, Problemf("HISTORY_MAX_AGE", "%s is less than %s, for example 400d", h.MaxAge, leastAge))
	}
	if h.MaxBytes < leastBytes {
		problems = append(problems, Problemf("HISTORY_MAX_BYTES", "%s is less than %s, for example 2GiB", h.MaxBytes, leastBytes))
	}
	return problems
}
