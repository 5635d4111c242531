// Package slack says what happened, in words that a supervisor understands, and brings it to Slack, to a webhook or to a
// terminal.
//
// A [Composer] turns an incident, several of them, a day, or the fact that nothing can be judged into a [Message]: words in
// English or Spanish, without a form. It is pure. A [Client] gives the message the form of Block Kit and posts it, a
// [Webhook] can post only, a [Terminal] prints a card. Each is a [Sink]; [Deliver] does with a Sink what [incident.Next]
// decided, and [Settle] writes down what came of it. A [Pacer] keeps a channel to about one post a second.
//
// # What may be in a message
//
// Text of events and rules, and what people are called and say, is never trusted: it is stripped of control characters,
// escaped for every place where it is shown and cut to Slack's limits. Only the configuration can mention anybody. Secrets
// (the token, the webhook's URL) are in no error and no message.
package slack
