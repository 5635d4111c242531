package events

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// TypeAction is the ce-type of an [Action].
const TypeAction = "alerts.actions"

// What people do about alerts.
const (
	Acknowledged = "acknowledged" // somebody takes care of an incident
	Silenced     = "silenced"     // nobody is told of the alerts that it covers, for a while
	Unsilenced   = "unsilenced"   // a silence was ended before its time
)

// AllOperations stands for the operation of an action that is about all of them. It is no name that an operation can have.
const AllOperations = "_all"

// Action is what somebody did about alerts: one message on alerts.actions.<operation>, or on alerts.actions._all. All times
// are in UTC. The zero Action is not valid.
type Action struct {
	Action    string   `json:"action"`             // [Acknowledged], [Silenced] or [Unsilenced]
	Operation string   `json:"operation"`          // or [AllOperations]
	Incident  string   `json:"incident,omitempty"` // the incident that it was done about; required to acknowledge
	Rules     []string `json:"rules,omitempty"`    // silences: the rules that are covered; none means all
	// Key tells two deeds of one kind apart: the silence's id, or the click. The same deed has the same key, however often it
	// is sent.
	Key    string     `json:"key"`
	By     string     `json:"by"`              // who, as people know them
	User   string     `json:"user,omitempty"`  // who, as Slack knows them: U012AB3CD
	At     time.Time  `json:"at"`              // when; to the second
	From   *time.Time `json:"from,omitempty"`  // silenced: when that begins, if it is not at once
	Until  *time.Time `json:"until,omitempty"` // silenced: when that ends
	Reason string     `json:"reason,omitempty"`

	// Sequence and Stored are the message's place and time in ALERTS; zero on an action that was not read from it.
	Sequence uint64    `json:"-"`
	Stored   time.Time `json:"-"`
}

// ID is the action's identity, <operation>/<action>/<key>: the ce-id and the Nats-Msg-Id.
func (a *Action) ID() string { return a.Operation + "/" + a.Action + "/" + a.Key }

// Validate tells the first rule of the contract that a breaks, or nil.
func (a *Action) Validate() error {
	switch {
	case a.Action != Acknowledged && a.Action != Silenced && a.Action != Unsilenced:
		return fmt.Errorf("action %.40q is none of %s, %s, %s", a.Action, Acknowledged, Silenced, Unsilenced)
	case a.Operation != AllOperations && !ValidOperation(a.Operation):
		return fmt.Errorf("operation %.80q is not a name", a.Operation)
	case a.Action == Acknowledged && a.Incident == "":
		return errors.New("an acknowledgement names no incident")
	case a.Key == "" || len(a.Key) > 200:
		return errors.New("the key is missing, or longer than 200 bytes")
	case a.By == "":
		return errors.New("nobody did it: by is empty")
	case a.At.IsZero():
		return errors.New("at is missing")
	case (a.Action == Silenced) != (a.Until != nil):
		return errors.New("until belongs to a silence, and to nothing else")
	case a.From != nil && (a.Until == nil || !a.Until.After(*a.From)):
		return errors.New("from belongs to a silence, which ends after it begins")
	}
	for _, rule := range a.Rules {
		if !ValidRule(rule) {
			return fmt.Errorf("rule %.160q is not a name", rule)
		}
	}
	return nil
}

// EncodeAction makes the message that stores a.
func EncodeAction(a *Action) (*nats.Msg, error) {
	stored := *a
	stored.At, stored.From, stored.Until = a.At.UTC().Truncate(time.Second), wholeSeconds(a.From), wholeSeconds(a.Until)
	if err := stored.Validate(); err != nil {
		return nil, fmt.Errorf("events: encode %.400s: %w", a.ID(), err)
	}
	data, err := json.Marshal(stored)
	if err != nil {
		return nil, fmt.Errorf("events: encode %.400s: %w", a.ID(), err)
	}
	if len(data) > maxData {
		return nil, fmt.Errorf("events: encode %.400s: %w", a.ID(), errTooLarge)
	}
	header := envelope{
		typ: TypeAction, source: "//unconnected/people", subject: a.Operation, id: a.ID(), schema: SchemaActions, time: stored.At,
	}.header()
	return &nats.Msg{Subject: ActionSubject(a.Operation), Header: header, Data: data}, nil
}

func wholeSeconds(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	whole := t.UTC().Truncate(time.Second)
	return &whole
}

// DecodeAction reads a message of alerts.actions that a consumer delivered. An error is always an [*InvalidError].
func DecodeAction(msg jetstream.Msg) (Action, error) {
	raw := jetstream.RawStreamMsg{Subject: msg.Subject(), Header: msg.Headers(), Data: msg.Data()}
	if meta, err := msg.Metadata(); err == nil {
		raw.Sequence, raw.Time = meta.Sequence.Stream, meta.Timestamp
	}
	return DecodeRawAction(&raw)
}

// DecodeRawAction reads a message of alerts.actions that was fetched from the stream. An error is always an [*InvalidError].
func DecodeRawAction(msg *jetstream.RawStreamMsg) (Action, error) {
	a, err := decodeAction(msg)
	if err != nil {
		return Action{}, &InvalidError{msg.Subject, msg.Sequence, err.Error()}
	}
	a.Sequence, a.Stored = msg.Sequence, msg.Time.UTC()
	return a, nil
}

func decodeAction(msg *jetstream.RawStreamMsg) (a Action, err error) {
	if typ := get(msg.Header, headerType); typ != TypeAction {
		return a, fmt.Errorf("%s is %.60q, not %s", headerType, typ, TypeAction)
	}
	if len(msg.Data) > maxData {
		return a, errTooLarge
	}
	if err := json.Unmarshal(msg.Data, &a); err != nil {
		return a, fmt.Errorf("the data is not the JSON of an action: %.200w", err)
	}
	a.At, a.From, a.Until = a.At.UTC(), inUTC(a.From), inUTC(a.Until)
	if err := a.Validate(); err != nil {
		return a, err
	}
	if subject := ActionSubject(a.Operation); subject != msg.Subject {
		return a, fmt.Errorf("the data belongs on %s", subject)
	}
	return a, checkEnvelope(msg.Header, []byte(a.ID()), a.Operation, a.At)
}
