package natsserver

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"syscall"
)

// logger passes what the server says on to slog, and keeps the first fatal text, because the server itself goes on after
// one as if nothing had happened.
type logger struct {
	log   *slog.Logger
	fatal chan string
	full  chan struct{} // closed when the disk was found full
	once  sync.Once
}

func newLogger(log *slog.Logger) *logger {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &logger{log: log.With("component", "nats-server"), fatal: make(chan string, 1), full: make(chan struct{})}
}

// Noticef logs the server's banner and its like: nothing that our users need to read.
func (l *logger) Noticef(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }

func (l *logger) Debugf(format string, v ...any) {}
func (l *logger) Tracef(format string, v ...any) {}

// Warnf logs a warning, but for what the server says of every store after a kill or a power failure: it reads the files
// again, and nothing is lost.
func (l *logger) Warnf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	if strings.Contains(text, "Stream state") {
		l.log.Debug(text)
		return
	}
	l.log.Warn(text)
}

func (l *logger) Errorf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.log.Error(text)
	if strings.Contains(text, syscall.ENOSPC.Error()) {
		l.once.Do(func() { close(l.full) })
	}
}

func (l *logger) Fatalf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	select {
	case l.fatal <- text:
	default:
	}
	l.log.Debug(text)
}

// classifyFatal turns the server's last words into the error that says what to do.
func classifyFatal(text string) error {
	if strings.Contains(text, "listening on port") {
		return fmt.Errorf("%w (%s)", ErrListen, text)
	}
	return fmt.Errorf("%w: %s", ErrStore, text)
}
