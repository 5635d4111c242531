package slack_test

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	slackgo "github.com/slack-go/slack"

	"unconnected/alerter/slack"
	"unconnected/alerter/slack/fakeslack"
)

const manifestFile = "../../deploy/slack/manifest.yaml"

// manifest is the file as slack-go's type understands it: what it does not know is an error.
func manifest(t *testing.T) slackgo.Manifest {
	t.Helper()
	text, err := os.ReadFile(manifestFile)
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(asJSON))
	decoder.DisallowUnknownFields()
	var m slackgo.Manifest
	if err := decoder.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestManifest: the app can do what the code does, and no more.
func TestManifest(t *testing.T) {
	m := manifest(t)
	var names []string
	for _, scope := range slack.Scopes() {
		names = append(names, scope.Name)
		if scope.Purpose == "" {
			t.Errorf("nobody knows what %s is for", scope.Name)
		}
	}
	if got := m.OAuthConfig.Scopes.Bot; !slices.Equal(got, names) {
		t.Errorf("the bot's scopes are %v, want %v", got, names)
	}
	if len(m.OAuthConfig.Scopes.User)+len(m.OAuthConfig.Scopes.BotOptional)+len(m.OAuthConfig.Scopes.UserOptional) > 0 {
		t.Errorf("more scopes than the bot's: %+v", m.OAuthConfig.Scopes)
	}
	if !m.Settings.SocketModeEnabled || m.Settings.Interactivity == nil || !m.Settings.Interactivity.IsEnabled {
		t.Errorf("buttons do not work: %+v", m.Settings)
	}
	if commands := m.Features.SlashCommands; len(commands) != 1 || commands[0].Command != "/unconnected" || commands[0].Url != "" {
		t.Errorf("the commands are %+v", commands)
	}
	if m.Settings.EventSubscriptions != nil || m.Features.BotUser.DisplayName == "" || m.Display.Name == "" {
		t.Errorf("it is %+v", m)
	}
	// Slack's limits.
	if len(m.Display.Name) > 35 || len(m.Display.Description) > 140 || len(m.Features.SlashCommands[0].Description) > 2000 {
		t.Errorf("too long for Slack: %+v", m.Display)
	}
}

// TestManifestSaysWhy: beside each scope stands what it is for, in the words of the code.
func TestManifestSaysWhy(t *testing.T) {
	text, err := os.ReadFile(manifestFile)
	if err != nil {
		t.Fatal(err)
	}
	flat := strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(string(text), "#", " ")), " "))
	for _, scope := range slack.Scopes() {
		if !strings.Contains(flat, strings.ToLower(scope.Purpose)) {
			t.Errorf("%s: the manifest does not say: %s", scope.Name, scope.Purpose)
		}
	}
}

// TestScopesSuffice: the workspace of the tests, which asks for scopes as Slack does, asks for no other.
func TestScopesSuffice(t *testing.T) {
	var names []string
	for _, scope := range slack.Scopes() {
		names = append(names, scope.Name)
	}
	for _, needed := range fakeslack.AllScopes() {
		if !slices.Contains(names, needed) {
			t.Errorf("%s is needed and not in the manifest", needed)
		}
	}
}
