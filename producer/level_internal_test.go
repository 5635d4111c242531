package producer

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"unconnected/internal/natsio"
	"unconnected/producer/journal"
)

// TestWhileNATSIsAwayOperationsAreQuiet: a hundred operations would each say it every quarter of a minute.
func TestWhileNATSIsAwayOperationsAreQuiet(t *testing.T) {
	for _, test := range []struct {
		err      error
		failures int
		want     slog.Level
	}{
		{fmt.Errorf("append to calls.unconnected: %w", natsio.ErrAway), 1, slog.LevelDebug},
		{fmt.Errorf("append to calls.unconnected: %w", natsio.ErrAway), 9, slog.LevelDebug},
		{fmt.Errorf("append to calls.unconnected: %w", natsio.ErrStuck), 1, slog.LevelDebug},
		{fmt.Errorf("append to calls.unconnected: %w", natsio.ErrStuck), 2, slog.LevelWarn},
		{fmt.Errorf("append to calls.unconnected: %w", natsio.ErrPermission), 1, slog.LevelWarn},
		{journal.ErrLost, 1, slog.LevelWarn},
		{errors.New("anything else"), 1, slog.LevelWarn},
	} {
		if got := levelOf(test.err, test.failures); got != test.want {
			t.Errorf("%v is said at %s the %d. time, want %s", test.err, got, test.failures, test.want)
		}
	}
}
