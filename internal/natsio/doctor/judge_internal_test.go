package doctor

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/diagnosis"
	"unconnected/internal/diagnosis/diagnosistest"
	"unconnected/internal/natsio"
	"unconnected/internal/natsroles"
	"unconnected/internal/natstest"
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

// stuckErr is what a server leads to that is there and does not store.
func stuckErr(t *testing.T) error {
	t.Helper()
	_, js := natstest.Connect(t, natstest.Server(t))
	return natsio.Explain(js, nats.ErrTimeout)
}

func TestJudgeWhatIsStuck(t *testing.T) {
	err := fmt.Errorf("bucket x: %w", stuckErr(t))
	calls := events.CallsStream(events.StreamOptions{})
	wanted := verdict{diagnosis.Failed, "restart that server"}
	wanted.check(t, judgeStream(&stream{want: calls, err: err}, false))
	wanted.check(t, judgeBuckets([]bucket{{name: "a"}, {name: "b", err: err}}, 0))
	one, is := judgeAllStuck([]stream{{err: err}, {err: err}}, []bucket{{err: err}})
	if wanted.check(t, one); !is {
		t.Error("each is told of")
	}
	if _, is := judgeAllStuck([]stream{{err: err}}, []bucket{{}}); is {
		t.Error("one that can be looked at is left out")
	}
	if _, is := Stuck("x", errors.New("other")); is {
		t.Error("anything is taken for it")
	}
}

func TestJudgeHealth(t *testing.T) {
	verdict{diagnosis.OK, "well"}.check(t, judgeHealth(&health{Status: "ok"}))
	verdict{diagnosis.Failed, "1.blk: no space left on device → where there is no space left, free some; then restart"}.check(t,
		judgeHealth(&health{Status: "unavailable", Error: "write 1.blk: no space left on device"}))
	verdict{diagnosis.Failed, "unavailable"}.check(t, judgeHealth(&health{Status: "unavailable"}))
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
		{"it was on", capacity{err: jetstream.ErrJetStreamNotEnabled}, verdict{diagnosis.Failed, "disk is full"}},
		{"no majority", capacity{err: stuckErr(t)}, verdict{diagnosis.Failed, "majority"}},
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
			verdict{diagnosis.Failed, "no leader"}},
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
	const day, gib = 24 * time.Hour, 1 << 30
	verdict{diagnosis.OK, "79 B of 100 B (79.0 %)"}.check(t, judgeHistory(state(79, 100, 1, 1, 1, 0), 0))
	verdict{diagnosis.Warning, "(80.0 %); when it is full, the oldest windows go → raise HISTORY_MAX_BYTES"}.check(t, judgeHistory(state(80, 100, 1, 1, 1, 0), 0))
	verdict{diagnosis.Warning, "no limit"}.check(t, judgeHistory(state(80, -1, 1, 1, 1, 0), 288))
	kept := func(bytes uint64) *jetstream.StreamInfo {
		info := state(bytes, 2*gib, bytes>>10, 1, bytes>>10, 0)
		info.Config.MaxAge = 400 * day
		return info
	}
	verdict{diagnosis.OK, "1.9 GiB of 2.0 GiB (92.8 %) → "}.check(t, judgeHistory(kept(1900<<20), 17*288)) // the oldest go for their age
	verdict{diagnosis.OK, "full in 364 days, and then the oldest windows go, before they are 400 days old: there is room for 364 days; in good time set HISTORY_MAX_BYTES=3GiB"}.check(t,
		judgeHistory(kept(1<<20), 20*288))
	verdict{diagnosis.Warning, "full in 73 days, and then the oldest windows go, before they are 400 days old: there is room for 146 days → set HISTORY_MAX_BYTES=7GiB"}.check(t,
		judgeHistory(kept(1<<30), 50*288))
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
	verdict{diagnosis.OK, "all 2"}.check(t, judgeBuckets([]bucket{there, there}, 0))
	verdict{diagnosis.Warning, "not there yet: b"}.check(t, judgeBuckets([]bucket{there, missing}, 0))
	verdict{diagnosis.Warning, "none"}.check(t, judgeBuckets([]bucket{missing, missing}, 0))
	verdict{diagnosis.Warning, "not there yet: b, b"}.check(t, judgeBuckets([]bucket{missing, missing}, 5)) // of the others nobody knows
	verdict{diagnosis.Warning, "c (no)"}.check(t, judgeBuckets([]bucket{missing, {name: "c", err: errors.New("no")}}, 0))
	verdict{diagnosis.OK, "the 2 that this user may see"}.check(t, judgeBuckets([]bucket{there, there}, 5))
	single := bucket{name: "d", drift: natsio.BucketDifferences(jetstream.StreamConfig{Replicas: 1}, 3)}
	verdict{diagnosis.Warning, "d (replicas is 1, should be 3) → `unconnected streams apply`"}.check(t, judgeBuckets([]bucket{there, single}, 0))
}

// TestJudgeUnseen: what is not for a user to see is no fault, what it has to see is one.
func TestJudgeUnseen(t *testing.T) {
	byName := make(map[string]natsroles.Role)
	for _, role := range natsroles.Roles() {
		byName[role.Name] = role
	}
	marks, notices := natsio.StreamOf(natsio.BucketMarks), natsio.StreamOf(natsio.BucketNotices)
	for name, test := range map[string]struct {
		unseen []string
		parts  []string
		want   []verdict
	}{
		"alerts, of a producer": {[]string{events.StreamAlerts}, []string{natsroles.Producer},
			[]verdict{{diagnosis.Skipped, "ALERTS: not for the producer to see → look with the user of the alerter, or of the reader, or of the admin"}}},
		"the history, of a producer": {[]string{events.StreamCalls}, []string{natsroles.Producer},
			[]verdict{{diagnosis.Failed, "may not look at CALLS: permissions → give this user the rights that `unconnected streams users` prints for the producer"}}},
		"buckets of an alerter": {[]string{marks, notices}, []string{natsroles.Alerter},
			[]verdict{{diagnosis.Failed, "look at unconnected_notices"}, {diagnosis.Skipped, "unconnected_marks: not for the alerter to see → look with the user of the producer, or of the reader, or of the admin"}}},
		"of one of two programs":    {[]string{marks}, []string{natsroles.Producer, natsroles.Alerter}, []verdict{{diagnosis.Warning, "right for a user"}}},
		"of a user who has no part": {[]string{marks}, nil, []verdict{{diagnosis.Warning, "right for a user"}}},
		"everything is seen":        {nil, []string{natsroles.Producer}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var parts []natsroles.Role
			for _, part := range test.parts {
				parts = append(parts, byName[part])
			}
			found := judgeUnseen("x", test.unseen, errors.New("permissions"), parts)
			if len(found) != len(test.want) {
				t.Fatalf("%+v", found)
			}
			for i, want := range test.want {
				want.check(t, found[i])
			}
		})
	}
}

// TestPartsOf: who is set up for no program has the part that its rights are those of.
func TestPartsOf(t *testing.T) {
	roles := natsroles.Roles()
	as := func(role natsroles.Role) *user {
		return &user{Permissions: &permissions{Publish: &subjects{role.Publish, role.Deny}}}
	}
	for _, role := range roles[:3] {
		if parts := partsOf(as(role), nil); len(parts) != 1 || parts[0].Name != role.Name {
			t.Errorf("the %s has the parts %v", role.Name, namesOf(parts))
		}
	}
	if parts := partsOf(as(roles[2]), roles[:1]); len(parts) != 1 || parts[0].Name != natsroles.Producer {
		t.Errorf("what is set up does not count: %v", namesOf(parts))
	}
	if parts := partsOf(nil, nil); len(parts) != 0 {
		t.Errorf("a user who is not known has the parts %v", namesOf(parts))
	}
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
