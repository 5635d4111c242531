package doctor

import (
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/diagnosis"
	"unconnected/internal/diagnosis/diagnosistest"
	"unconnected/internal/natsio"
	"unconnected/internal/natsroles"
)

// verdict is what is wanted of a finding: its status and a part of what it says.
type verdict struct {
	status diagnosis.Status
	says   string
}

func (v verdict) check(t *testing.T, f diagnosis.Finding) {
	t.Helper()
	diagnosistest.Check(t, f, v.status, v.says)
}

func TestJudgeVersion(t *testing.T) {
	for version, want := range map[string]verdict{
		"2.11.0": {diagnosis.OK, "2.11.0"}, "2.15.2": {diagnosis.OK, ""}, "3.0.0-beta.1": {diagnosis.OK, ""},
		"2.10.29": {diagnosis.Failed, "upgrade"}, "1.4.1": {diagnosis.Failed, "upgrade"},
		"": {diagnosis.Warning, `""`}, "dev": {diagnosis.Warning, "dev"},
	} {
		want.check(t, judgeVersion(version))
	}
}

func account(store, reserved uint64, most int64, streams, mostStreams int) *jetstream.AccountInfo {
	return &jetstream.AccountInfo{Tier: jetstream.Tier{
		Store: store, ReservedStore: reserved, Streams: streams, Limits: jetstream.AccountLimits{MaxStore: most, MaxStreams: mostStreams},
	}}
}

func serverOf(most int64, reserved uint64) *storing {
	var s storing
	s.JetStream.Config.MaxStore, s.JetStream.Stats.ReservedStore = most, reserved
	return &s
}

func TestJudgeCapacity(t *testing.T) {
	calls := jetstream.StreamConfig{MaxBytes: 2 << 30, Replicas: 3}
	tests := []struct {
		name string
		c    capacity
		want verdict
	}{
		{"no limits", capacity{account: account(1024, 0, -1, 8, -1), missing: []jetstream.StreamConfig{calls}}, verdict{diagnosis.OK, "1.0 KiB stored, no limit"}},
		{"enough", capacity{account: account(0, 0, 8<<30, 0, -1), missing: []jetstream.StreamConfig{calls}}, verdict{diagnosis.OK, "8.0 GiB"}},
		{"too little for what is missing, with its replicas", capacity{account: account(0, 0, 5<<30, 0, -1), missing: []jetstream.StreamConfig{calls}},
			verdict{diagnosis.Failed, "reserve 6.0 GiB"}},
		{"the server has too little", capacity{account: account(0, 0, -1, 0, -1), server: serverOf(1<<30, 0), missing: []jetstream.StreamConfig{calls}},
			verdict{diagnosis.Failed, "reserve 2.0 GiB, but of the server's 1.0 GiB"}},
		{"the server holds one of the copies", capacity{account: account(0, 0, -1, 0, -1), server: serverOf(4<<30, 1<<30), missing: []jetstream.StreamConfig{calls}},
			verdict{diagnosis.OK, ""}},
		{"the server has enough", capacity{account: account(0, 0, -1, 0, -1), server: serverOf(8<<30, 1<<30), missing: []jetstream.StreamConfig{calls}},
			verdict{diagnosis.OK, ""}},
		{"the server's is reserved", capacity{account: account(0, 0, -1, 0, -1), server: serverOf(4<<30, 3<<30), missing: []jetstream.StreamConfig{calls}},
			verdict{diagnosis.Failed, "3.0 GiB are reserved"}},
		{"others reserved it", capacity{account: account(0, 3<<30, 8<<30, 0, -1), missing: []jetstream.StreamConfig{calls}}, verdict{diagnosis.Failed, "lower HISTORY_MAX_BYTES"}},
		{"reserved by our own streams", capacity{account: account(0, 8<<30, 8<<30, 2, -1)}, verdict{diagnosis.OK, ""}},
		{"nearly full", capacity{account: account(81, 0, 100, 8, -1)}, verdict{diagnosis.Warning, "81 B of 100 B"}},
		{"too few streams", capacity{account: account(0, 0, -1, 8, 8), missing: []jetstream.StreamConfig{calls}}, verdict{diagnosis.Failed, "1 streams are missing"}},
		{"no JetStream", capacity{err: jetstream.ErrJetStreamNotEnabled}, verdict{diagnosis.Failed, "-js"}},
		{"not for this account", capacity{err: jetstream.ErrJetStreamNotEnabledForAccount}, verdict{diagnosis.Failed, "account"}},
		{"not visible", capacity{err: nats.ErrTimeout}, verdict{diagnosis.Skipped, "timeout"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.want.check(t, judgeCapacity(test.c)) })
	}
}

func TestJudgeStream(t *testing.T) {
	want := events.CallsStream(events.StreamOptions{Replicas: 1, MaxAge: 24 * time.Hour, MaxBytes: 1 << 20})
	like := func(change func(*jetstream.StreamInfo)) *jetstream.StreamInfo {
		info := &jetstream.StreamInfo{Config: want}
		change(info)
		return info
	}
	three := want
	three.Replicas = 3
	copies := events.CallsStream(events.StreamOptions{Replicas: 3, MaxAge: 24 * time.Hour, MaxBytes: 1 << 20})
	compressed := copies
	compressed.Compression = jetstream.S2Compression
	tests := []struct {
		name      string
		s         stream
		clustered bool
		want      verdict
	}{
		{"as wanted", stream{want: want, info: like(func(*jetstream.StreamInfo) {})}, false, verdict{diagnosis.OK, "kept for 24h"}},
		{"missing", stream{want: want, err: jetstream.ErrStreamNotFound}, false, verdict{diagnosis.Warning, "streams apply"}},
		{"refused", stream{want: want, err: nats.ErrPermissionViolation}, false, verdict{diagnosis.Failed, "permissions violation"}},
		{"shorter", stream{want: want, info: like(func(i *jetstream.StreamInfo) { i.Config.MaxAge = time.Hour })}, false,
			verdict{diagnosis.Warning, "max age is 1h, should be 1d → `unconnected streams apply`"}},
		{"longer", stream{want: want, info: like(func(i *jetstream.StreamInfo) { i.Config.MaxAge = 48 * time.Hour })}, false,
			verdict{diagnosis.Warning, "the oldest messages are deleted"}},
		{"compressed copies", stream{want: copies, info: &jetstream.StreamInfo{Config: compressed}}, true,
			verdict{diagnosis.Warning, "compression is S2, should be None (a copy that is killed may lose its newest messages) → `unconnected streams apply`"}},
		{"in memory", stream{want: want, info: like(func(i *jetstream.StreamInfo) { i.Config.Storage = jetstream.MemoryStorage })}, false,
			verdict{diagnosis.Failed, "restart of NATS loses it"}},
		{"replicas without a cluster", stream{want: three, info: like(func(*jetstream.StreamInfo) {})}, false, verdict{diagnosis.Warning, "needs a cluster"}},
		{"replicas in a cluster", stream{want: three, info: like(func(*jetstream.StreamInfo) {})}, true, verdict{diagnosis.Warning, "`unconnected streams apply`"}},
		{"no leader", stream{want: want, info: like(func(i *jetstream.StreamInfo) { i.Cluster = &jetstream.ClusterInfo{Name: "c"} })}, true,
			verdict{diagnosis.Warning, "no leader"}},
		{"a replica is away", stream{want: want, info: like(func(i *jetstream.StreamInfo) {
			i.Cluster = &jetstream.ClusterInfo{Leader: "n1", Replicas: []*jetstream.PeerInfo{{Name: "n2", Current: true}, {Name: "n3", Offline: true}}}
		})}, true, verdict{diagnosis.Warning, "n3 is away"}},
		{"a replica is behind", stream{want: want, info: like(func(i *jetstream.StreamInfo) {
			i.Cluster = &jetstream.ClusterInfo{Leader: "n1", Replicas: []*jetstream.PeerInfo{{Name: "n2", Lag: 7}}}
		})}, true, verdict{diagnosis.Warning, "7 messages behind"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.want.check(t, judgeStream(&test.s, test.clustered)) })
	}
}

func state(bytes uint64, most int64, msgs, first, last uint64, deleted int) *jetstream.StreamInfo {
	return &jetstream.StreamInfo{
		Config: jetstream.StreamConfig{MaxBytes: most},
		State:  jetstream.StreamState{Bytes: bytes, Msgs: msgs, FirstSeq: first, LastSeq: last, NumDeleted: deleted},
	}
}

func TestJudgeHistory(t *testing.T) {
	verdict{diagnosis.OK, "79.0 %"}.check(t, judgeHistory(state(79, 100, 1, 1, 1, 0)))
	verdict{diagnosis.Warning, "80 % of 100 B"}.check(t, judgeHistory(state(80, 100, 1, 1, 1, 0)))
	verdict{diagnosis.Warning, "no limit"}.check(t, judgeHistory(state(80, -1, 1, 1, 1, 0)))
}

func TestJudgeWhole(t *testing.T) {
	verdict{diagnosis.OK, "empty"}.check(t, judgeWhole(state(0, 0, 0, 0, 0, 0)))
	verdict{diagnosis.OK, "empty"}.check(t, judgeWhole(state(0, 0, 0, 8, 7, 0))) // all are too old
	verdict{diagnosis.OK, "from sequence 3 to 9"}.check(t, judgeWhole(state(0, 0, 7, 3, 9, 0)))
	verdict{diagnosis.Failed, "only 6"}.check(t, judgeWhole(state(0, 0, 6, 3, 9, 1)))
	verdict{diagnosis.Failed, "only 6"}.check(t, judgeWhole(state(0, 0, 6, 3, 9, 0)))
}

func TestJudgeBuckets(t *testing.T) {
	there, missing := bucket{name: "a"}, bucket{name: "b", err: jetstream.ErrStreamNotFound}
	verdict{diagnosis.OK, "all 2"}.check(t, judgeBuckets([]bucket{there, there}))
	verdict{diagnosis.Warning, "not there yet: b"}.check(t, judgeBuckets([]bucket{there, missing}))
	verdict{diagnosis.Warning, "none"}.check(t, judgeBuckets([]bucket{missing, missing}))
	verdict{diagnosis.Warning, "c (no)"}.check(t, judgeBuckets([]bucket{missing, {name: "c", err: errors.New("no")}}))
	single := bucket{name: "d", drift: natsio.BucketDifferences(jetstream.StreamConfig{Replicas: 1}, 3)}
	verdict{diagnosis.Warning, "d (replicas is 1, should be 3) → `unconnected streams apply`"}.check(t, judgeBuckets([]bucket{there, single}))
}

func TestJudgeConsumer(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	at := func(ago time.Duration) *time.Time { at := now.Add(-ago); return &at }
	tests := []struct {
		name string
		c    jetstream.ConsumerInfo
		want verdict
	}{
		{"up to date, however long ago", jetstream.ConsumerInfo{AckFloor: jetstream.SequenceInfo{Last: at(48 * time.Hour)}}, verdict{diagnosis.OK, "nothing waits"}},
		{"behind and working", jetstream.ConsumerInfo{NumPending: 4000, NumAckPending: 1, AckFloor: jetstream.SequenceInfo{Last: at(time.Minute)}},
			verdict{diagnosis.OK, "4001 messages wait, last acknowledged 1m0s ago"}},
		{"behind and still", jetstream.ConsumerInfo{NumPending: 3, AckFloor: jetstream.SequenceInfo{Last: at(3 * time.Hour)}}, verdict{diagnosis.Warning, "3h ago"}},
		{"never used", jetstream.ConsumerInfo{NumPending: 3, Created: *at(3 * time.Hour)}, verdict{diagnosis.Warning, "never acknowledged"}},
		{"just made", jetstream.ConsumerInfo{NumPending: 3, Created: *at(time.Second)}, verdict{diagnosis.OK, "never acknowledged"}},
		{"one message is never acknowledged", jetstream.ConsumerInfo{NumAckPending: 1, AckFloor: jetstream.SequenceInfo{Last: at(2 * time.Hour)}},
			verdict{diagnosis.Warning, "1 messages wait"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.want.check(t, judgeConsumer(&test.c, now)) })
	}
}

func TestCovers(t *testing.T) {
	tests := []struct {
		pattern, subject string
		want             bool
	}{
		{"calls.unconnected", "calls.unconnected", true}, {"calls.unconnected", "calls.unconnected.ventas", false},
		{"calls.*", "calls.unconnected", true}, {"calls.*", "calls.unconnected.ventas", false}, {"calls.*", "calls", false},
		{"calls.>", "calls.unconnected.ventas", true}, {"calls.unconnected.>", "calls.unconnected", false}, {">", "calls", true},
		{"*.unconnected.ventas", "calls.unconnected.ventas", true}, {"$KV.unconnected_marks.>", "$KV.unconnected_status.default", false},
	}
	for _, test := range tests {
		if got := covers(test.pattern, test.subject); got != test.want {
			t.Errorf("covers(%q, %q) = %t", test.pattern, test.subject, got)
		}
	}
}

func TestJudgePermissions(t *testing.T) {
	roles := []natsroles.Role{
		{Name: "producer", Publish: []string{"calls.unconnected", "calls.unconnected.*"}}, {Name: "alerter", Publish: []string{"$KV.marks.>"}},
	}
	publish := func(allow, deny []string) *user {
		return &user{Permissions: &permissions{Publish: &subjects{allow, deny}}}
	}
	verdict{diagnosis.Skipped, "does not tell"}.check(t, judgePermissions(nil, roles))
	verdict{diagnosis.OK, "everything"}.check(t, judgePermissions(&user{}, roles))
	verdict{diagnosis.OK, "all that is needed by the producer and alerter"}.check(t, judgePermissions(publish([]string{"calls.>", "$KV.>"}, nil), roles))
	verdict{diagnosis.OK, "all that"}.check(t, judgePermissions(publish(nil, []string{"$SYS.>"}), roles))
	verdict{diagnosis.Warning, "lacks rights of the alerter: may not publish $KV.marks.>"}.check(t, judgePermissions(publish([]string{"calls.>"}, nil), roles))
	verdict{diagnosis.Warning, "of the producer: may not publish calls.unconnected"}.check(t, judgePermissions(publish(nil, []string{"calls.*"}), roles))
	verdict{diagnosis.OK, "no program"}.check(t, judgePermissions(publish([]string{"calls.>"}, nil), nil))
	for _, role := range natsroles.Roles() { // each may do its own work, and the admin everybody's
		if role.Name == natsroles.Admin {
			verdict{diagnosis.OK, ""}.check(t, judgePermissions(publish(role.Publish, role.Deny), natsroles.Roles()))
		}
		verdict{diagnosis.OK, ""}.check(t, judgePermissions(publish(role.Publish, role.Deny), []natsroles.Role{role}))
	}
}

func TestJudgeClock(t *testing.T) {
	verdict{diagnosis.OK, "agree"}.check(t, judgeClock(-5*time.Second, 0))
	verdict{diagnosis.OK, "agree"}.check(t, judgeClock(-7*time.Second, 2*time.Second))
	verdict{diagnosis.Warning, "1m0s ahead of"}.check(t, judgeClock(time.Minute, time.Second))
	verdict{diagnosis.Warning, "2h behind"}.check(t, judgeClock(-2*time.Hour, time.Second))
}

func TestJudgeSync(t *testing.T) {
	verdict{diagnosis.Skipped, "sync_interval: always"}.check(t, judgeSync(nil))
	var s storing
	s.JetStream.Config.SyncInterval = 2 * time.Minute
	verdict{diagnosis.Warning, "every 2m0s"}.check(t, judgeSync(&s))
	s.JetStream.Config.SyncAlways = true
	verdict{diagnosis.OK, "on the disk"}.check(t, judgeSync(&s))
}

func TestJudgeConnection(t *testing.T) {
	verdict{diagnosis.OK, "with TLS"}.check(t, judgeConnection("tls://nats", time.Millisecond, true))
	verdict{diagnosis.Warning, "takes 300ms"}.check(t, judgeConnection("nats://nats", 300*time.Millisecond, false))
}
