// Package natsroles says what each kind of user needs in NATS, and writes it down for the server: a producer appends
// windows, an alerter stores alerts, a reader reads both, an admin makes the streams and looks after them. Who may do no
// more than its work can do no more harm than its work.
//
// NATS gives permissions by subject. Reading a stream takes publishing, too: requests to the JetStream API. What the body
// of a request asks for, and where the answer goes, the server does not check against them: see deploy/nats/README.md.
package natsroles

import (
	"slices"

	"unconnected/events"
	"unconnected/internal/lease"
	"unconnected/internal/natsio"
)

// Names of the roles. Each is a user's name, too, and so part of its inboxes' names.
const (
	Producer = "producer"
	Alerter  = "alerter"
	Reader   = "reader"
	Admin    = "admin"
)

// Role is what one kind of user may do, and nothing else.
type Role struct {
	Name string
	For  string // what the user does, for people

	Publish []string // subjects that it may publish to; wildcards allowed
	Deny    []string // of these, the ones that it may not
	Inboxes []string // prefixes of the subjects that answers come to: all that it may subscribe to
}

// Roles lists the roles. Each may also ask what it may do.
func Roles() []Role {
	roles := []Role{producer(), alerter(), reader(), admin()}
	for i := range roles {
		roles[i].Publish = append(roles[i].Publish, "$SYS.REQ.USER.INFO")
	}
	return roles
}

func producer() Role {
	return Role{
		Name: Producer, For: "polls cdr_6 and appends the windows to CALLS",
		Publish: concat(
			events.Subjects(), readStream(events.StreamCalls),
			get(natsio.BucketMarks), put(natsio.BucketMarks),
			get(natsio.BucketStatus), put(natsio.BucketStatus),
			watch(natsio.BucketLeases), put(natsio.BucketLeases),
		),
		Deny:    dutyKeys(),
		Inboxes: inboxes(Producer),
	}
}

func alerter() Role {
	return Role{
		Name: Alerter, For: "judges the windows, stores alerts in ALERTS, tells people",
		Publish: concat(
			events.AlertSubjects(), []string{events.ActionSubject("*")},
			readStream(events.StreamCalls), readStream(events.StreamAlerts),
			watch(natsio.BucketStatus), watch(natsio.BucketLeases), dutyKeys(),
			get(natsio.BucketAlerter), put(natsio.BucketAlerter),
			watch(natsio.BucketSnapshots), put(natsio.BucketSnapshots),
			watch(natsio.BucketSilences), put(natsio.BucketSilences),
			watch(natsio.BucketNotices), put(natsio.BucketNotices), []string{"$JS.API.STREAM.PURGE." + stream(natsio.BucketNotices)},
		),
		Inboxes: inboxes(Alerter),
	}
}

func reader() Role {
	return Role{
		Name: Reader, For: "reads and follows CALLS and ALERTS, and writes nothing",
		Publish: concat(
			readStream(events.StreamCalls), acknowledge(events.StreamCalls),
			readStream(events.StreamAlerts), acknowledge(events.StreamAlerts),
			watch(natsio.BucketMarks), watch(natsio.BucketSilences),
		),
		Inboxes: inboxes(Reader),
	}
}

// admin does what all others do, because its tools do: a backfill appends windows. Besides, it creates.
func admin() Role {
	r := Role{
		Name: Admin, For: "creates streams and buckets, backs up and restores, backfills, silences, and reads all of it",
		Publish: concat(producer().Publish, alerter().Publish, reader().Publish,
			create(events.StreamCalls), amend(events.StreamCalls), create(events.StreamAlerts), amend(events.StreamAlerts),
			list(events.StreamCalls), list(events.StreamAlerts)),
		Inboxes: inboxes(Admin),
	}
	for _, bucket := range natsio.Buckets() {
		r.Publish = append(r.Publish, create(stream(bucket))...)
		r.Publish = append(r.Publish, amend(stream(bucket))...)
	}
	for _, kept := range backedUp() {
		r.Publish = append(r.Publish, backUp(kept)...)
	}
	r.Publish = append(r.Publish, "$JS.API.INFO") // the client asks whether the server knows keys that expire
	slices.Sort(r.Publish)
	r.Publish = slices.Compact(r.Publish)
	return r
}

// inboxes are where a user's answers come to when it connects by its name; one that connects as a program, with nothing
// that names it, has the program's.
func inboxes(role string) []string {
	prefixes := []string{natsio.InboxPrefix(role)}
	if role == Admin {
		prefixes = append(prefixes, natsio.InboxPrefix(natsio.ProgramTool))
	}
	return prefixes
}

func stream(bucket string) string { return natsio.StreamOf(bucket) }

// readStream is what reading a stream takes: by ordered consumers, and one message at a time.
func readStream(name string) []string {
	return []string{
		"$JS.API.STREAM.INFO." + name,
		"$JS.API.DIRECT.GET." + name, "$JS.API.DIRECT.GET." + name + ".>",
		"$JS.API.CONSUMER.CREATE." + name + ".>",
		"$JS.API.CONSUMER.INFO." + name + ".*",
		"$JS.API.CONSUMER.MSG.NEXT." + name + ".*",
		"$JS.API.CONSUMER.DELETE." + name + ".*",
	}
}

// acknowledge is what a durable consumer takes beside.
func acknowledge(stream string) []string { return []string{"$JS.ACK." + stream + ".>"} }

// get is what reading single keys of a bucket takes.
func get(bucket string) []string {
	return []string{"$JS.API.STREAM.INFO." + stream(bucket), "$JS.API.DIRECT.GET." + stream(bucket) + ".>"}
}

// watch is what reading, listing and watching keys takes.
func watch(bucket string) []string {
	name := stream(bucket)
	return append(get(bucket),
		"$JS.API.CONSUMER.CREATE."+name+".>", "$JS.API.CONSUMER.DELETE."+name+".*",
		"$JS.FC."+name+".>", // the client says that it keeps pace
	)
}

// put is what writing keys takes; deleting one is writing a marker.
func put(bucket string) []string { return []string{"$KV." + bucket + ".>"} }

// dutyKeys are the keys by which alerters agree who is on duty, in the bucket that producers share.
func dutyKeys() []string {
	return []string{"$KV." + natsio.BucketLeases + "." + natsio.KeyDuty, "$KV." + natsio.BucketLeases + "." + lease.WaitingKey(natsio.KeyDuty, "*")}
}

func create(stream string) []string {
	return []string{"$JS.API.STREAM.INFO." + stream, "$JS.API.STREAM.CREATE." + stream}
}

// list is what looking at everybody's consumers takes.
func list(stream string) []string { return []string{"$JS.API.CONSUMER.LIST." + stream} }

// amend is what changing a stream's limits takes.
func amend(stream string) []string { return []string{"$JS.API.STREAM.UPDATE." + stream} }

// backedUp are the streams that a backup consists of; the others are made anew, see deploy/README.md.
func backedUp() []string {
	return []string{events.StreamCalls, events.StreamAlerts, stream(natsio.BucketNotices), stream(natsio.BucketSilences)}
}

// backUp is what backing up a stream takes, and restoring it where there is none of its name.
func backUp(stream string) []string {
	return []string{
		"$JS.API.STREAM.SNAPSHOT." + stream, "$JS.SNAPSHOT.ACK." + stream + ".*",
		"$JS.API.STREAM.RESTORE." + stream, "$JS.SNAPSHOT.RESTORE." + stream + ".*",
	}
}

// concat joins lists, each subject once, in the order in which they come.
func concat(lists ...[]string) []string {
	var all []string
	for _, list := range lists {
		for _, subject := range list {
			if !slices.Contains(all, subject) {
				all = append(all, subject)
			}
		}
	}
	return all
}
