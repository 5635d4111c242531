package incident_test

import (
	"testing"
	"time"

	"unconnected/alerter/incident"
)

// TestRelieved: what failed before Slack took something else waits no longer, and after one attempt more it waits again.
func TestRelieved(t *testing.T) {
	lost := incident.Failure{Class: incident.Undelivered, Code: "connection"}
	post := incident.Action{Step: incident.PostRoot, Sequence: 1}
	failed := incident.Record{Incident: "x"}.Failed(post, lost, minute(0)).Failed(post, lost, minute(10))
	waits := func(rec incident.Record, now time.Time) bool {
		return incident.NextNotice(rec, slackCaps, now).Step == incident.Wait
	}
	if !waits(failed, minute(10)) {
		t.Fatalf("it does not wait: %+v", failed.Trouble)
	}
	for name, test := range map[string]struct {
		took time.Time
		want bool
	}{
		"Slack took nothing yet":       {time.Time{}, true},
		"it took something before":     {minute(5), true},
		"it took something afterwards": {minute(10).Add(time.Millisecond), false},
	} {
		eased := failed.Relieved(test.took)
		if got := waits(eased, minute(10)); got != test.want || eased.Trouble.Count != 2 || !eased.Trouble.Since.Equal(minute(0)) {
			t.Errorf("%s: waits %v, %+v", name, got, eased.Trouble)
		}
		if again := eased.Failed(post, lost, minute(11)).Relieved(test.took); !waits(again, minute(11)) {
			t.Errorf("%s: it does not wait after another failure", name)
		}
	}
	bad := incident.Failure{Class: incident.Payload, Code: "invalid_blocks"}
	refused := incident.Record{Incident: "x"}.Failed(post, bad, minute(0)).Failed(post, bad, minute(0))
	if eased := refused.Relieved(minute(0).Add(time.Millisecond)); !waits(eased, minute(0).Add(time.Second)) {
		t.Errorf("what is refused for its own sake is tried whenever Slack takes something else: %+v", eased.Trouble)
	}
	if rec := (incident.Record{Incident: "x"}).Relieved(minute(1)); rec.Trouble != nil {
		t.Errorf("a record without trouble has %+v", rec.Trouble)
	}
}

// TestJoins: what surely did not arrive may leave with others; what may have is looked for first.
func TestJoins(t *testing.T) {
	post := incident.Action{Step: incident.PostRoot}
	for name, test := range map[string]struct {
		root incident.Root
		want bool
	}{
		"nothing was done":  {incident.Root{}, true},
		"it may be there":   {incident.Root{Intent: &incident.Intent{Deadline: minute(1)}}, false},
		"it was not found":  {incident.Root{Intent: &incident.Intent{Attempt: 1}}, true},
		"it was deleted":    {incident.Root{Gone: true}, false},
		"it has joined one": {incident.Root{Group: "@group/x"}, false},
	} {
		if got := post.Joins(incident.Record{Root: test.root}); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
