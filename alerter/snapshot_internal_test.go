package alerter

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
	"time"
)

// These tests are not parallel: while they waited for their turn, TestNothingIsLeftBehind would find them at work.
func TestSnapshotsAreReadBack(t *testing.T) {
	random := make([]byte, 3*snapshotLarge)
	for i := range random {
		random[i] = byte(rand.IntN(4)) // compressible
	}
	for name, state := range map[string][]byte{"empty": {}, "small": random[:100], "just not large": random[:snapshotLarge-1], "large": random} {
		want := snapshot{Stream: time.Date(2026, 11, 25, 8, 30, 0, 123456789, time.UTC), Sequence: 1 << 40, State: state}
		data, err := want.encode()
		if err != nil {
			t.Fatal(err)
		}
		if len(state) >= snapshotLarge && len(data) > len(state)/2 {
			t.Errorf("%s: %d bytes became %d", name, len(state), len(data))
		}
		got, err := decodeSnapshot(data)
		if err != nil || !got.Stream.Equal(want.Stream) || got.Sequence != want.Sequence || !bytes.Equal(got.State, want.State) {
			t.Errorf("%s: got %v %d, %d bytes, %v", name, got.Stream, got.Sequence, len(got.State), err)
		}
	}
}

// TestDamagedSnapshots: whatever byte is another, and wherever the value ends, it is no snapshot any more.
func TestDamagedSnapshots(t *testing.T) {
	s := snapshot{Stream: time.Now(), Sequence: 7, State: []byte("what evaluation knows")}
	data, err := s.encode()
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		damaged := bytes.Clone(data)
		damaged[i] ^= 1
		if _, err := decodeSnapshot(damaged); !errors.Is(err, errSnapshot) {
			t.Errorf("byte %d: %v", i, err)
		}
		if _, err := decodeSnapshot(data[:i]); !errors.Is(err, errSnapshot) {
			t.Errorf("cut to %d: %v", i, err)
		}
	}
}

func FuzzSnapshot(f *testing.F) {
	s := snapshot{Stream: time.Now(), Sequence: 7, State: []byte("what evaluation knows")}
	data, err := s.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(snapshotMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := decodeSnapshot(data); err != nil && !errors.Is(err, errSnapshot) {
			t.Error(err)
		}
	})
}
