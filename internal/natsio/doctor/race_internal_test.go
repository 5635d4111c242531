package doctor

import (
	"context"
	"sync"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/internal/config"
	"unconnected/internal/diagnosis"
	"unconnected/internal/natstest"
)

// starting is a server on which the programs start, and create the streams, once somebody has looked at anything.
type starting struct {
	jetstream.JetStream
	start func()
}

func (s *starting) Stream(ctx context.Context, name string) (jetstream.Stream, error) {
	defer s.start()
	return s.JetStream.Stream(ctx, name)
}

func (s *starting) AccountInfo(ctx context.Context) (*jetstream.AccountInfo, error) {
	defer s.start()
	info, err := s.JetStream.AccountInfo(ctx)
	if err == nil {
		info.Limits.MaxStore = 128 << 20 // for both, and not for one of them twice
	}
	return info, err
}

// TestStreamsThatAreMadeMeanwhile are not counted as reserved and as missing.
func TestStreamsThatAreMadeMeanwhile(t *testing.T) {
	nc, js := natstest.Connect(t, natstest.Server(t))
	o := Options{NATS: config.NATS{Replicas: 1}, History: config.History{MaxBytes: 48 << 20}}
	made := sync.OnceFunc(func() {
		for _, config := range definitions(&o) {
			if _, err := js.CreateStream(t.Context(), config); err != nil {
				t.Error(err)
			}
		}
	})
	found, _ := Examine(t.Context(), &JetStream{&starting{js, made}, newRefusals(nc)}, o)
	for _, f := range found {
		if f.Status == diagnosis.Failed {
			t.Errorf("%+v", f)
		}
	}
}
