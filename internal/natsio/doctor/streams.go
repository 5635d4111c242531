package doctor

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/diagnosis"
	"unconnected/internal/natsio"
	"unconnected/internal/natsroles"
)

// stream is what is known of a stream of this product.
type stream struct {
	want jetstream.StreamConfig
	info *jetstream.StreamInfo // nil when err is not
	err  error
}

func (s *stream) missing() bool { return errors.Is(s.err, jetstream.ErrStreamNotFound) }

// plan is what to do about streams and buckets that are not there.
const plan = "the programs create them when they start, where their users may; or now, as admin: `unconnected streams apply`"

// judgeStream compares a stream with its definition. One that the user may not look at is a matter of [judgeUnseen].
func judgeStream(s *stream, clustered bool) diagnosis.Finding {
	check := s.want.Name
	stuck, isStuck := Stuck(check, s.err)
	switch {
	case isStuck:
		return stuck
	case s.missing():
		return diagnosis.Warn(check, plan, "is not there yet")
	case s.err != nil:
		return diagnosis.Fail(check, "let this user ask for it ($JS.API.STREAM.INFO."+check+"), or look at the server", "can't be looked at: %v", s.err)
	case s.info.Config.Storage != jetstream.FileStorage:
		return diagnosis.Fail(check, "back it up, and let the programs create it anew", "is kept in memory: a restart of NATS loses it")
	}
	if c := s.info.Cluster; c != nil && c.Leader == "" {
		return diagnosis.Fail(check, "start the servers of the cluster that are missing, and restart those whose disk was full", "has no leader: nothing can be stored")
	}
	if trouble := replicaTrouble(s.info.Cluster); trouble != "" {
		return diagnosis.Warn(check, "look at that server: is it up, and has its disk room? After its disk was full it must be restarted", "%s", trouble)
	}
	if drift := natsio.Differences(s.info.Config, s.want); len(drift) > 0 {
		return diagnosis.Warn(check, adviceOnDrift(s, drift, clustered), "differs from the settings: %s", strings.Join(natsio.Drift(s.info.Config, s.want), "; "))
	}
	return diagnosis.Ok(check, "as the settings want it: %s, kept %s", diagnosis.Plural(int(s.info.State.Msgs), "message"), kept(s.info.Config.MaxAge))
}

func kept(d time.Duration) string {
	if d == 0 {
		return "for ever"
	}
	return "for " + diagnosis.Lasting(d)
}

func adviceOnDrift(s *stream, drift []natsio.Difference, clustered bool) string {
	if s.want.Replicas > 1 && s.info.Config.Replicas != s.want.Replicas && !clustered {
		return "NATS_REPLICAS needs a cluster, and this server is alone: set it to 1"
	}
	for _, d := range drift {
		if d.Loses != "" {
			return "set HISTORY_MAX_AGE, HISTORY_MAX_BYTES and NATS_REPLICAS to what it is; by what they say now " + d.Loses +
				", which `nats stream edit " + s.want.Name + "` does if it is meant"
		}
	}
	return "`unconnected streams apply` changes it, and nothing is lost; or set HISTORY_MAX_AGE, HISTORY_MAX_BYTES and NATS_REPLICAS to what it is"
}

// replicaTrouble says what is wrong with the replicas of a stream, or nothing.
func replicaTrouble(c *jetstream.ClusterInfo) string {
	if c == nil {
		return ""
	}
	for _, peer := range c.Replicas {
		switch {
		case peer.Offline:
			return fmt.Sprintf("its replica on %s is away", peer.Name)
		case !peer.Current && peer.Lag > 0:
			return fmt.Sprintf("its replica on %s is %d messages behind", peer.Name, peer.Lag)
		}
	}
	return ""
}

// judgeHistory says how much of its room the history takes, and for how long that will do when so many windows are stored a day;
// 0 when that is not known.
func judgeHistory(info *jetstream.StreamInfo, perDay float64) diagnosis.Finding {
	const check = "size"
	used, most := info.State.Bytes, info.Config.MaxBytes
	if most <= 0 {
		return diagnosis.Warn(check, "give it one below the size of the disk: `nats stream edit CALLS --max-bytes …`",
			"%s, and the stream has no limit: a full disk stops it", diagnosis.Bytes(used))
	}
	percent := 100 * float64(used) / float64(most)
	have := fmt.Sprintf("%s of %s (%.1f %%)", diagnosis.Bytes(used), diagnosis.Bytes(uint64(most)), percent)
	o, lacks := natsio.OutlookOf(info, perDay)
	what, next := o.Words(info.Config.MaxAge)
	switch {
	case lacks && o.Soon:
		return diagnosis.Warn(check, next, "%s; %s", have, what)
	case lacks:
		return diagnosis.Ok(check, "%s; %s; in good time %s", have, what, next)
	}
	return diagnosis.Ok(check, "%s", have)
}

// judgeWhole tells whether messages are missing inside the stream: nobody may delete any.
func judgeWhole(info *jetstream.StreamInfo) diagnosis.Finding {
	const check = "complete"
	s := info.State
	if s.Msgs == 0 {
		return diagnosis.Ok(check, "the stream is empty")
	}
	if s.Msgs == s.LastSeq-s.FirstSeq+1 && s.NumDeleted == 0 {
		return diagnosis.Ok(check, "every message from sequence %d to %d is there", s.FirstSeq, s.LastSeq)
	}
	return diagnosis.Fail(check, "`unconnected verify` says which windows; restore the stream from a replica or backup",
		"of the sequences %d to %d only %d messages are there", s.FirstSeq, s.LastSeq, s.Msgs)
}

// bucket is what is known of a bucket.
type bucket struct {
	name  string
	drift []natsio.Difference
	err   error
}

// judgeBuckets tells what is wrong with the buckets that this user may look at. How many others there are is a matter of
// [judgeUnseen].
func judgeBuckets(all []bucket, unseen int) diagnosis.Finding {
	const check = "buckets"
	var missing, broken, differ []string
	for _, b := range all {
		if f, is := Stuck(check, b.err); is {
			return f
		}
		switch {
		case errors.Is(b.err, jetstream.ErrStreamNotFound):
			missing = append(missing, b.name)
		case b.err != nil:
			broken = append(broken, fmt.Sprintf("%s (%v)", b.name, b.err))
		case len(b.drift) > 0:
			differ = append(differ, fmt.Sprintf("%s (%v)", b.name, b.drift[0]))
		}
	}
	switch {
	case len(broken) > 0:
		return diagnosis.Warn(check, "look at the server", "can't be looked at: %s", strings.Join(broken, ", "))
	case len(missing) == len(all) && unseen == 0:
		return diagnosis.Warn(check, plan, "none is there yet")
	case len(missing) > 0:
		return diagnosis.Warn(check, plan, "not there yet: %s", strings.Join(missing, ", "))
	case len(differ) > 0:
		return diagnosis.Warn(check, "`unconnected streams apply` makes more copies, in a cluster; or set NATS_REPLICAS to what it is",
			"differ from the settings: %s", strings.Join(differ, ", "))
	}
	if unseen > 0 {
		return diagnosis.Ok(check, "the %d that this user may see are there", len(all))
	}
	return diagnosis.Ok(check, "all %d are there", len(all))
}

// judgeSeen judges the buckets that can be looked at, and says why the others cannot.
func judgeSeen(all []bucket, parts []natsroles.Role) diagnosis.Findings {
	var seen []bucket
	var unseen []string
	var err error
	for _, b := range all {
		if errors.Is(b.err, natsio.ErrPermission) {
			unseen, err = append(unseen, natsio.StreamOf(b.name)), natsio.ErrPermission
			continue
		}
		seen = append(seen, b)
	}
	var found diagnosis.Findings
	if len(seen) > 0 {
		found = append(found, judgeBuckets(seen, len(unseen)))
	}
	return append(found, judgeUnseen("buckets", unseen, err, parts)...)
}

// stuck is how long a consumer that is behind may go without acknowledging anything.
const stuck = time.Hour

// judgeConsumer says how far behind a durable consumer is.
func judgeConsumer(c *jetstream.ConsumerInfo, now time.Time) diagnosis.Finding {
	check := "consumer " + c.Name
	behind := c.NumPending + uint64(c.NumAckPending)
	if behind == 0 {
		return diagnosis.Ok(check, "of %s: nothing waits", c.Stream)
	}
	last, since := "never acknowledged anything", now.Sub(c.Created)
	if at := c.AckFloor.Last; at != nil {
		since = now.Sub(*at)
		last = fmt.Sprintf("last acknowledged %s ago", diagnosis.Lasting(since))
	}
	if since > stuck {
		return diagnosis.Warn(check, "start the program that reads with it; if nobody does any more: `nats consumer rm "+c.Stream+" "+c.Name+"`",
			"of %s: %d messages wait, %s", c.Stream, behind, last)
	}
	return diagnosis.Ok(check, "of %s: %d messages wait, %s", c.Stream, behind, last)
}

// judgeNothing is the finding of a NATS that nobody has used yet, instead of one for each stream and bucket.
func judgeNothing() diagnosis.Finding {
	return diagnosis.Warn(events.StreamCalls, plan, "neither streams nor buckets are there: nothing has run here yet")
}
