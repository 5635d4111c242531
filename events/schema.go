package events

import _ "embed"

// URIs of the JSON Schemas, as ce-dataschema names them. A change that old consumers could not read gets a new version.
const (
	SchemaCalls   = "urn:unconnected:schema:calls.unconnected:v1"
	SchemaAlerts  = "urn:unconnected:schema:alerts.unconnected:v1"
	SchemaActions = "urn:unconnected:schema:alerts.actions:v1"
)

// CallsSchema is the JSON Schema (draft 2020-12) of the data of calls.unconnected and calls.unconnected.missed.
//
//go:embed schema/calls.unconnected.v1.json
var CallsSchema []byte

// AlertsSchema is the JSON Schema (draft 2020-12) of the data of alerts.unconnected.
//
//go:embed schema/alerts.unconnected.v1.json
var AlertsSchema []byte

// ActionsSchema is the JSON Schema (draft 2020-12) of the data of alerts.actions.
//
//go:embed schema/alerts.actions.v1.json
var ActionsSchema []byte

// AsyncAPI is the AsyncAPI 3.0 document of both streams: channels, messages, headers.
//
//go:embed schema/asyncapi.yaml
var AsyncAPI []byte
