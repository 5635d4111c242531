// Package silence keeps silences in their bucket, and stores what people did in the stream ALERTS.
//
// The bucket decides: what it holds is in force, and [View] always knows it. The stream tells: who did it and when, for the
// incident's message and for everybody who subscribes. Both [Store.Add] and [Store.Expire] write the bucket first. Whoever
// dies in between leaves a silence that holds and that `unconnected silence list` shows with its author, only the line about
// it is missing. The other way round people would be told of a silence that does not hold, or, worse, that they will hear of
// something again which stays silent. Doing the same again completes what was left half done.
package silence
