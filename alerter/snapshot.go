package alerter

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// snapshot is what evaluation knew of one operation, as the bucket keeps it.
type snapshot struct {
	Stream   time.Time // the creation of the CALLS that the sequence belongs to
	Sequence uint64    // every message up to here has been folded, and its alert events are stored
	State    []byte    // an evaluate.Operation
}

// errSnapshot says that bytes are no snapshot, or a damaged one.
var errSnapshot = errors.New("no snapshot, or a damaged one")

const (
	snapshotMagic  = "unconnected snapshot 1\n"
	snapshotHeader = len(snapshotMagic) + sha256.Size + 8 + 8 + 1 // creation, sequence, whether the state is compressed

	// snapshotLarge is from what size on a state is compressed.
	snapshotLarge = 256 << 10
	// snapshotMost bounds a state: nothing larger is read, whatever a damaged value claims.
	snapshotMost = 64 << 20
)

// encode writes the snapshot with a sum over everything.
func (s *snapshot) encode() ([]byte, error) {
	body := binary.BigEndian.AppendUint64(nil, uint64(s.Stream.UnixNano()))
	body = binary.BigEndian.AppendUint64(body, s.Sequence)
	if len(s.State) < snapshotLarge {
		body = append(append(body, 0), s.State...)
	} else {
		out := bytes.NewBuffer(append(body, 1))
		zip := gzip.NewWriter(out)
		_, err := zip.Write(s.State)
		if err = errors.Join(err, zip.Close()); err != nil {
			return nil, fmt.Errorf("snapshot: %w", err)
		}
		body = out.Bytes()
	}
	sum := sha256.Sum256(body)
	return append(append([]byte(snapshotMagic), sum[:]...), body...), nil
}

// decodeSnapshot reads what encode wrote. The error wraps [errSnapshot].
func decodeSnapshot(data []byte) (s snapshot, err error) {
	if len(data) < snapshotHeader || !bytes.HasPrefix(data, []byte(snapshotMagic)) {
		return s, errSnapshot
	}
	want, body := data[len(snapshotMagic):len(snapshotMagic)+sha256.Size], data[len(snapshotMagic)+sha256.Size:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], want) {
		return s, errSnapshot
	}
	s.Stream = time.Unix(0, int64(binary.BigEndian.Uint64(body))).UTC()
	s.Sequence = binary.BigEndian.Uint64(body[8:])
	s.State = body[17:]
	if body[16] == 0 {
		return s, nil
	}
	zip, err := gzip.NewReader(bytes.NewReader(s.State))
	if err == nil {
		s.State, err = io.ReadAll(io.LimitReader(zip, snapshotMost))
	}
	if err != nil {
		return s, fmt.Errorf("%w: %w", errSnapshot, err)
	}
	return s, nil
}
