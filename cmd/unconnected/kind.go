package main

import "unconnected/producer/oplog"

// kind is what people should know about a kind of fault.
type kind struct {
	name    string
	meaning string
	advice  string // what to do
	command string // of unconnected, which the advice is about, without --from and --to; or ""
}

const (
	// stays ends an advice about what cannot be undone: nobody deletes from the stream.
	stays = "; the finding stays until retention removes the message"
	// foreign is the advice about what no producer writes.
	foreign = "no producer writes this: find out who else publishes on calls.unconnected, and take the permission away" + stays
	// recheck is the advice about wrong counts.
	recheck = "publish what the API says now as a revision (the finding stays until retention removes the message):"
)

// kinds are all kinds of fault, in the order in which they are told.
var kinds = []kind{
	{kindLost, "messages that were stored are gone",
		"restore the stream from its backup or replica; or accept the loss of a log's end, and the producer goes on behind what is " +
			"left, with: unconnected streams apply --accept-loss OPERATION", ""},
	{kindEmpty, "an operation without a log",
		"check the spelling of --operation; where none is configured, the operation is called default", ""},
	{kindAPI, "windows that the API counts differently now", "publish what it says now as revisions:", "backfill --recheck"},
	{oplog.Gap, "nothing is stored of some time between two live windows",
		"ask the API for it, which closes the gap:", "backfill"},
	{oplog.Counts, "counts that are not what the total or the reported rows say", recheck, "backfill --recheck"},
	{oplog.Revision, "a revision without the one before it, or without a change", recheck, "backfill --recheck"},
	{oplog.Duplicate, "a window or revision that is stored twice",
		"readers that keep the highest revision of a window are right, those that add up messages are not" + stays, ""},
	{oplog.Overlap, "windows that share time",
		"calls of that time are counted in both: leave one out of sums, and find out who else publishes on calls.unconnected" + stays, ""},
	{oplog.Order, "messages in the wrong order", foreign, ""},
	{oplog.Checkpoint, "a checkpoint that the messages before it do not bear out", foreign, ""},
	{oplog.Reconciled, "what was compared again with the API is taken back",
		"the producer compares that time once more by itself; an older version or somebody else publishes beside it" + stays, ""},
	{oplog.Backfill, "a backfill beyond the checkpoint", foreign, ""},
	{oplog.Grid, "windows that lie across a full hour", foreign, ""},
	{oplog.Source, "simulated and real calls in one log",
		"give the simulator a NATS or an operation of its own; what is mixed stays mixed, so rather begin a log under a new name", ""},
	{oplog.Invalid, "messages that are no events",
		"readers leave them out; find out who else publishes on calls.unconnected, and take the permission away" + stays, ""},
}
