package events_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/nats-io/nats.go"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"unconnected/events"
)

// compile prepares one of the embedded JSON Schemas, with its formats asserted.
func compile(t testing.TB, schema []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	id, _ := doc.(map[string]any)["$id"].(string)
	if err := c.AddResource(id, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// conforms is nil when data is JSON that the schema allows.
func conforms(schema *jsonschema.Schema, data []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return schema.Validate(doc)
}

func validate(t testing.TB, schema *jsonschema.Schema, data []byte) {
	t.Helper()
	if err := conforms(schema, data); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
}

func TestSchemaIDs(t *testing.T) {
	for id, schema := range map[string][]byte{
		events.SchemaCalls: events.CallsSchema, events.SchemaAlerts: events.AlertsSchema,
		events.SchemaActions: events.ActionsSchema,
	} {
		if got := compile(t, schema).Location; got != id+"#" {
			t.Errorf("the schema's id is %s, want %s", got, id)
		}
	}
}

func TestCallsSchema(t *testing.T) {
	schema := compile(t, events.CallsSchema)
	whole, marker := string(encode(t, contract()).Data), string(encode(t, missed("default", 0)).Data)
	tests := []struct {
		name, data, old, new string
		valid                bool
	}{
		{"whole", whole, "", "", true},
		{"missed", marker, "", "", true},
		{"unknown field", whole, `"revision":0`, `"revision":0,"campaign":"x"`, true},
		{"unknown field of the window", whole, `"end":`, `"length":300,"end":`, true},
		{"unknown result", whole, `"tcpa":0`, `"tcpa":0,"r_404":0`, true},
		{"no operation", whole, `"operation":"default",`, "", false},
		{"operation that is no name", whole, `"default"`, `"De Fault"`, false},
		{"no window", whole, `"window"`, `"windows"`, false},
		{"window that is no time", whole, "2026-11-22T15:00:00Z", "2026-13-22T15:00:00Z", false},
		{"window in another zone", whole, "2026-11-22T15:00:00Z", "2026-11-22T10:00:00-05:00", false},
		{"fraction of a second", whole, "15:05:00Z", "15:05:00.5Z", false},
		{"negative revision", whole, `"revision":0`, `"revision":-1`, false},
		{"no total", whole, `"total":185,`, "", false},
		{"total as text", whole, `185`, `"185"`, false},
		{"fractional count", whole, `"busy":20`, `"busy":20.5`, false},
		{"negative count", whole, `"busy":20`, `"busy":-20`, false},
		{"without a documented result", whole, `,"tcpa":0`, "", false},
		{"result as reported", whole, `"tcpa":0`, `"tcpa":0,"NO ANSWER":0`, false},
		{"reported count as a number", whole, `"count":"41"`, `"count":41`, false},
		{"no rows", whole, `"reported"`, `"rows"`, false},
		{"missed with a total", marker, `"missed"`, `"total":0,"missed"`, false},
		{"missed with counts", marker, `"missed"`, `"counts":{},"missed"`, false},
		{"missed without a reason", marker, `"reason"`, `"why"`, false},
		{"missed revision", marker, `"revision":0`, `"revision":1`, false},
	}
	for _, test := range tests {
		data := strings.Replace(test.data, test.old, test.new, 1)
		if data == test.data && test.old != "" {
			t.Errorf("%s: the test changes nothing", test.name)
		}
		if err := conforms(schema, []byte(data)); (err == nil) != test.valid {
			t.Errorf("%s: valid %t, want %t (%v)", test.name, err == nil, test.valid, err)
		}
	}
}

func TestAlertsSchema(t *testing.T) {
	schema := compile(t, events.AlertsSchema)
	a := firing()
	msg, err := events.EncodeAlert(&a)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, old, new string
		valid          bool
	}{
		{"whole", "", "", true},
		{"unknown field", `"reason":""`, `"reason":"","muted":true`, true},
		{"unknown reason", `"reason":""`, `"reason":"acknowledged"`, true},
		{"unknown value", `"value":0.44`, `"value":null`, true},
		{"no window", `"window":{"start":"2026-11-22T15:00:00Z","end":"2026-11-22T15:05:00Z"}`, `"window":null`, true},
		{"firing with an end", `"ends_at":null`, `"ends_at":"2026-11-22T15:00:00Z"`, false},
		{"resolved without an end", `"firing"`, `"resolved"`, false},
		{"severity", `"critical"`, `"page"`, false},
		{"label that is no text", `"noc"`, `1`, false},
		{"no incident", `"incident"`, `"id"`, false},
	}
	for _, test := range tests {
		data := strings.Replace(string(msg.Data), test.old, test.new, 1)
		if err := conforms(schema, []byte(data)); (err == nil) != test.valid {
			t.Errorf("%s: valid %t, want %t (%v)", test.name, err == nil, test.valid, err)
		}
	}
}

// document is the part of AsyncAPI that is held against the code.
type document struct {
	AsyncAPI string `yaml:"asyncapi"`
	Channels map[string]struct {
		Address    string         `yaml:"address"`
		Parameters map[string]any `yaml:"parameters"`
		Messages   map[string]ref `yaml:"messages"`
	} `yaml:"channels"`
	Operations map[string]struct {
		Action   string `yaml:"action"`
		Channel  ref    `yaml:"channel"`
		Messages []ref  `yaml:"messages"`
	} `yaml:"operations"`
	Components struct {
		Messages map[string]struct {
			Headers headers `yaml:"headers"`
			Payload struct {
				Schema ref `yaml:"schema"`
			} `yaml:"payload"`
		} `yaml:"messages"`
		Schemas map[string]headers `yaml:"schemas"`
	} `yaml:"components"`
}

type ref struct {
	Ref string `yaml:"$ref"`
}

// name is the last part of a reference, which must lead into a part of the document.
func (r ref) name(t *testing.T, into string) string {
	t.Helper()
	name, ok := strings.CutPrefix(r.Ref, into)
	if !ok || name == "" {
		t.Fatalf("reference %q does not lead into %s", r.Ref, into)
	}
	return name
}

type headers struct {
	AllOf      []ref          `yaml:"allOf"`
	Required   []string       `yaml:"required"`
	Properties map[string]any `yaml:"properties"`
}

func asyncAPI(t *testing.T) document {
	t.Helper()
	var doc document
	if err := yaml.Unmarshal(events.AsyncAPI, &doc); err != nil {
		t.Fatal(yaml.FormatError(err, false, true))
	}
	return doc
}

func TestAsyncAPIChannels(t *testing.T) {
	doc := asyncAPI(t)
	if doc.AsyncAPI != "3.0.0" {
		t.Errorf("version %q", doc.AsyncAPI)
	}
	addresses := make(map[string]string)
	for name, channel := range doc.Channels {
		addresses[name] = channel.Address
		for parameter := range channel.Parameters {
			if !strings.Contains(channel.Address, "{"+parameter+"}") {
				t.Errorf("%s has no place for the parameter %s", channel.Address, parameter)
			}
		}
		if len(channel.Parameters) != strings.Count(channel.Address, "{") {
			t.Errorf("%s lacks parameters", channel.Address)
		}
		for _, message := range channel.Messages {
			if name := message.name(t, "#/components/messages/"); doc.Components.Messages[name].Payload.Schema.Ref == "" {
				t.Errorf("%s: message %s has no schema", channel.Address, name)
			}
		}
	}
	want := map[string]string{
		"callsOfDefault": events.Subject(events.DefaultOperation), "callsOfOperation": events.Subject("{operation}"),
		"alerts": events.AlertSubject("{operation}", "{rule}"), "actions": events.ActionSubject("{operation}"),
	}
	if !maps.Equal(addresses, want) {
		t.Errorf("addresses %v, want %v", addresses, want)
	}
	for name, operation := range doc.Operations {
		channel, ok := doc.Channels[operation.Channel.name(t, "#/channels/")]
		if !ok || operation.Action != "send" || len(operation.Messages) != len(channel.Messages) {
			t.Errorf("operation %s: action %s, %d messages of %d", name, operation.Action, len(operation.Messages), len(channel.Messages))
		}
		for _, message := range operation.Messages {
			if _, ok := channel.Messages[message.name(t, operation.Channel.Ref+"/messages/")]; !ok {
				t.Errorf("operation %s: %s does not exist", name, message.Ref)
			}
		}
	}
	if len(doc.Operations) != len(doc.Channels) {
		t.Errorf("%d operations on %d channels", len(doc.Operations), len(doc.Channels))
	}
}

// TestAsyncAPIHeaders compares the documented headers with those of real messages: names, and values by their schema.
func TestAsyncAPIHeaders(t *testing.T) {
	doc := asyncAPI(t)
	a, r := firing(), resolved()
	var alerts []*nats.Msg
	for _, alert := range []*events.Alert{&a, &r} {
		msg, err := events.EncodeAlert(alert)
		if err != nil {
			t.Fatal(err)
		}
		alerts = append(alerts, msg)
	}
	var actions []*nats.Msg
	for _, action := range []events.Action{acknowledged(), silenced(), unsilenced()} {
		msg, err := events.EncodeAction(&action)
		if err != nil {
			t.Fatal(err)
		}
		actions = append(actions, msg)
	}
	compared, gap := live("default", 1), missed("ventas", 1)
	compared.Reconciled = events.Reconciled{Periods: compared.Checkpoint, Days: compared.Checkpoint}
	gap.Reconciled = compared.Reconciled
	tests := map[string]struct {
		messages []*nats.Msg
		schema   string
	}{
		"window": {[]*nats.Msg{
			encode(t, live("default", 1)), encode(t, compared), encode(t, revised("ventas", 1, 2, 3)), encode(t, backfilled("ventas", 1, 3)),
		}, "./calls.unconnected.v1.json"},
		"missed": {[]*nats.Msg{encode(t, missed("ventas", 1)), encode(t, gap)}, "./calls.unconnected.v1.json"},
		"alert":  {alerts, "./alerts.unconnected.v1.json"},
		"action": {actions, "./alerts.actions.v1.json"},
	}
	for name, test := range tests {
		message := doc.Components.Messages[name]
		if message.Payload.Schema.Ref != test.schema {
			t.Errorf("%s: the payload is described by %q", name, message.Payload.Schema.Ref)
		}
		parts := []headers{message.Headers}
		for _, part := range message.Headers.AllOf {
			parts = append(parts, doc.Components.Schemas[part.name(t, "#/components/schemas/")])
		}
		checkHeaders(t, name, parts, test.messages)
	}
}

func checkHeaders(t *testing.T, name string, parts []headers, messages []*nats.Msg) {
	t.Helper()
	documented, required, seen := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, part := range parts {
		for header := range part.Properties {
			documented[header] = true
		}
		for _, header := range part.Required {
			required[header] = true
		}
	}
	for _, msg := range messages {
		values := make(map[string]any)
		for header, v := range msg.Header {
			seen[header], values[header] = true, v[0]
		}
		for header := range required {
			if values[header] == nil {
				t.Errorf("%s: a message lacks the required header %s", name, header)
			}
		}
		for _, part := range parts {
			c := jsonschema.NewCompiler()
			c.AssertFormat()
			if err := c.AddResource("urn:headers", map[string]any{"properties": part.Properties}); err != nil {
				t.Fatal(err)
			}
			if err := c.MustCompile("urn:headers").Validate(values); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if !maps.Equal(documented, seen) {
		t.Errorf("%s: documented are %v, messages have %v", name,
			slices.Sorted(maps.Keys(documented)), slices.Sorted(maps.Keys(seen)))
	}
}
