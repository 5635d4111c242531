// Package replay judges windows of the past by rules, as the alerter would have: with the evaluator that judges live
// windows (package evaluate), so that the transitions are the same. It groups them into incidents, compares two sets of
// rules and looks for thresholds that alert less often.
//
//	list, err := replay.ReadJSONL(file)
//	…
//	result := replay.Run(list, rules, replay.Options{MaxAge: 30 * time.Minute})
//	for _, incident := range result.Incidents { … }
//
// # In which order
//
// Windows come in the order in which they were stored, with revisions and backfills where they were stored: what was
// known later changes nothing that was told before. [Arrange] makes one exception, for windows that were backfilled
// before the first live one: nobody judged them then, so they are judged as if they had been live. Windows from an export
// have no order of storing; [ReadJSONL] gives the last revision of each in the order of time.
//
// # What is left out
//
// Conditions on the clock (missing, status) never hold here: history does not tell what did not come. [Result].LeftOut
// names the rules that have some. The alerter's first start is not imitated either, nor anything about Slack.
package replay
