// Package people lets people in Slack take care of incidents: with the buttons of a message and with /unconnected.
//
// What they do becomes an [events.Action] in ALERTS and, for a silence, an entry of its bucket. Nothing is kept here: the
// notifier folds the stream and changes the messages, in whichever process that is. So every replica of the alerter may
// listen, and it does not matter which one Slack gives a click to, or how often.
//
// Only members of the channel in which somebody clicks may do anything, or, where SLACK_OPERATORS is set, members of that
// user group. When Slack does not say who is a member, nobody is.
//
// What follows from a click is decided by [Decide], a function of values; [People] asks, stores and answers.
package people
