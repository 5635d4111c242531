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
		err  error
		want slog.Level
	}{
		{fmt.Errorf("append to calls.unconnected: %w", natsio.ErrAway), slog.LevelDebug},
		{fmt.Errorf("append to calls.unconnected: %w", natsio.ErrPermission), slog.LevelWarn},
		{journal.ErrLost, slog.LevelWarn},
		{errors.New("anything else"), slog.LevelWarn},
	} {
		if got := levelOf(test.err); got != test.want {
			t.Errorf("%v is said at %s, want %s", test.err, got, test.want)
		}
	}
}
