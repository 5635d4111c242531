package slack

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"unconnected/alerter/incident"
)

// What a look-up says when it did not find the post.
var (
	// ErrNotFound: the history was read, and the post is not in it.
	ErrNotFound = errors.New("the post is not in the channel")
	// ErrNoHistory: the history cannot be read: no scope, no such method, no channel id, or too much of it.
	ErrNoHistory = errors.New("the channel's history cannot be read")
)

// Error is why a request to Slack failed, classified once. Its text, and that of everything it wraps, contains neither
// the token nor the webhook's URL.
type Error struct {
	Method     string // "chat.postMessage", "webhook", …
	Class      incident.Class
	Code       string        // Slack's word ("not_in_channel"), or ours: "timeout", "connection", "http_500", …
	RetryAfter time.Duration // 0 when the answer did not say
	Hint       string        // what a person can do; "" when nothing
	Err        error         // the cause; may be nil
}

// Error is one line for logs.
func (e *Error) Error() string {
	text := fmt.Sprintf("slack %s: %s", e.Method, e.Code)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if e.RetryAfter > 0 {
		text += fmt.Sprintf(" (retry after %v)", e.RetryAfter)
	}
	if e.Hint != "" {
		text += ": " + e.Hint
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// FailureOf is err as [incident.Record.Failed] wants it. What is no *Error is ambiguous, the careful class.
func FailureOf(err error) incident.Failure {
	var e *Error
	if errors.As(err, &e) {
		return incident.Failure{Class: e.Class, Code: e.Code, Hint: e.Hint, RetryAfter: e.RetryAfter}
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return incident.Failure{Class: incident.Ambiguous, Code: "timeout"}
	}
	return incident.Failure{Class: incident.Ambiguous, Code: "unknown"}
}

// refused is what one of Slack's error codes means.
type refused struct {
	class incident.Class
	hint  string
}

// codes are Slack's error codes that mean something particular. Every other is a definite refusal: nothing arrived, and
// it is tried again after a while.
var codes = map[string]refused{
	// Slack says of these that some of it may have happened.
	"fatal_error":         {class: incident.Ambiguous},
	"internal_error":      {class: incident.Ambiguous},
	"service_unavailable": {class: incident.Ambiguous},
	"request_timeout":     {class: incident.Ambiguous},
	"rollup_error":        {class: incident.Ambiguous},

	"ratelimited":  {class: incident.Undelivered},
	"rate_limited": {class: incident.Undelivered},

	"invalid_auth":                        {incident.Permanent, "SLACK_TOKEN is not valid: copy the bot token from the app's OAuth page"},
	"not_authed":                          {incident.Permanent, "SLACK_TOKEN is empty"},
	"account_inactive":                    {incident.Permanent, "the app was removed or its bot deactivated: install it again"},
	"token_revoked":                       {incident.Permanent, "the token was revoked: install the app again and set SLACK_TOKEN"},
	"token_expired":                       {incident.Permanent, "the token has expired: set a new SLACK_TOKEN"},
	"not_allowed_token_type":              {incident.Permanent, "SLACK_TOKEN must be a bot token (xoxb-…)"},
	"org_login_required":                  {incident.Permanent, "the workspace is being moved to an organisation: wait until that is done"},
	"missing_scope":                       {incident.Permanent, "add the missing scope to the app and install it again"},
	"no_permission":                       {incident.Permanent, "the app may not do this: install it again with its manifest"},
	"access_denied":                       {incident.Permanent, "the app may not do this: ask the workspace's administrators"},
	"ekm_access_denied":                   {incident.Permanent, "the administrators have suspended posting"},
	"team_access_not_granted":             {incident.Permanent, "the app is not installed in this workspace"},
	"accesslimited":                       {incident.Permanent, "this network may not use the workspace's API"},
	"not_in_channel":                      {incident.Permanent, "invite the bot: /invite it in the channel"},
	"channel_not_found":                   {incident.Permanent, "check SLACK_CHANNEL and the rules' channels; invite the bot to a private channel"},
	"is_archived":                         {incident.Permanent, "the channel is archived: name another one, or restore it"},
	"channel_is_archived":                 {incident.Permanent, "the channel is archived: name another one, or restore it"},
	"restricted_action":                   {incident.Permanent, "a workspace setting keeps the app from posting here"},
	"unknown_method":                      {incident.Permanent, "SLACK_API_URL does not lead to Slack's Web API"},
	"invalid_token":                       {incident.Permanent, "SLACK_WEBHOOK_URL is not valid any more: make a new webhook"},
	"no_service":                          {incident.Permanent, "the webhook was removed: make a new one and set SLACK_WEBHOOK_URL"},
	"no_service_id":                       {incident.Permanent, "SLACK_WEBHOOK_URL is not complete"},
	"no_team":                             {incident.Permanent, "SLACK_WEBHOOK_URL is not complete, or the workspace is gone"},
	"no_active_hooks":                     {incident.Permanent, "the webhook was disabled: make a new one"},
	"action_prohibited":                   {incident.Permanent, "a workspace setting keeps the webhook from posting here"},
	"posting_to_general_channel_denied":   {incident.Permanent, "the app may not post to the general channel: name another one"},
	"restricted_action_read_only_channel": {incident.Permanent, "nobody may post to this channel: name another one"},

	"invalid_blocks":        {class: incident.Payload},
	"invalid_blocks_format": {class: incident.Payload},
	"invalid_payload":       {class: incident.Payload},
	"invalid_arguments":     {class: incident.Payload},
	"invalid_form_data":     {class: incident.Payload},
	"msg_too_long":          {class: incident.Payload},
	"msg_blocks_too_long":   {class: incident.Payload},
	"no_text":               {class: incident.Payload},

	"edit_window_closed":                       {incident.Forbidden, "the workspace forbids edits after a while: messages stay as they are"},
	"cant_update_message":                      {incident.Forbidden, "the message belongs to another app: was the app replaced?"},
	"cannot_reply_to_message":                  {class: incident.Forbidden},
	"restricted_action_thread_locked":          {class: incident.Forbidden},
	"restricted_action_non_threadable_channel": {class: incident.Forbidden},

	"message_not_found": {class: incident.Gone},
	"thread_not_found":  {class: incident.Gone},
}

// classify is the Error for a code of Slack's; "" is the answer that says no and not why.
func classify(method, code string) *Error {
	e := &Error{Method: method, Code: code}
	if code == "" {
		e.Code = "no_error_given"
		return e
	}
	known, ok := codes[code]
	if !ok {
		e.Class, e.Code = incident.Undelivered, cutRunes(clean(code), 80)
		return e
	}
	e.Class, e.Hint = known.class, known.hint
	return e
}

// tokenRefused tells whether another token might help.
func tokenRefused(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "invalid_token", "no_service":
		return true
	}
	return false
}

// historyRefused tells whether err says that the history cannot be read, rather than not now.
func historyRefused(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case "missing_scope", "unknown_method", "not_allowed_token_type", "no_permission", "access_denied",
		"method_not_supported_for_channel_type", "http_404", "http_405", "http_501":
		return true
	}
	return strings.HasPrefix(e.Code, "not_allowed")
}

// ChannelLost tells whether a code of Slack's says that this channel, rather than the app or the token, is closed to us.
func ChannelLost(code string) bool {
	switch code {
	case "is_archived", "channel_is_archived", "channel_not_found", "not_in_channel", "restricted_action_read_only_channel",
		"posting_to_general_channel_denied":
		return true
	}
	return false
}

func isCode(err error, code string) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}
