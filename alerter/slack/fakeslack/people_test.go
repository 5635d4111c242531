package fakeslack_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"unconnected/alerter/slack/fakeslack"
)

// crowded is a workspace with people in and out of its channels.
func crowded() fakeslack.Options {
	return fakeslack.Options{
		Users: []fakeslack.User{{ID: "U0000001", Name: "ana", TZ: "Europe/Madrid"}, {ID: "U0000002", Name: "luis"}, {ID: "U0000003", Name: "eva"}},
		Channels: []fakeslack.Channel{
			{ID: "C0000001", Name: "noc", Members: []string{"U0000001", "U0000002"}}, {ID: "C0000002", Name: "all"},
			{ID: "C0000004", Name: "secret", Private: true, NotMember: true},
		},
		Groups: []fakeslack.UserGroup{{ID: "S0000001", Handle: "oncall", Users: []string{"U0000002"}}, {ID: "S0000002", Handle: "old", Disabled: true}},
	}
}

// api is slack-go's client of the workspace.
func (w workspace) api() *slack.Client {
	return slack.New(fakeslack.DefaultToken, slack.OptionAPIURL(w.APIURL()), slack.OptionAppLevelToken(fakeslack.DefaultAppToken))
}

func TestRefusals(t *testing.T) {
	long := strings.Repeat("x", 1001)
	noScopes := crowded()
	noScopes.Scopes = []string{}
	cases := []struct {
		name    string
		options fakeslack.Options
		method  string
		args    []string
		want    string
	}{
		{"an app token for a method of bots", crowded(), "auth.test", []string{"token", fakeslack.DefaultAppToken}, "not_allowed_token_type"},
		{"a bot token for Socket Mode", crowded(), "apps.connections.open", nil, "not_allowed_token_type"},
		{"an unknown app token", crowded(), "apps.connections.open", []string{"token", "xapp-other"}, "invalid_auth"},
		{"members without the scope", noScopes, "conversations.members", []string{"channel", "C0000001"}, "missing_scope"},
		{"members of nothing", crowded(), "conversations.members", []string{"channel", "C9"}, "channel_not_found"},
		{"members by name", crowded(), "conversations.members", []string{"channel", "noc"}, "channel_not_found"},
		{"members of a secret", crowded(), "conversations.members", []string{"channel", "C0000004"}, "channel_not_found"},
		{"a person", crowded(), "users.info", []string{"user", "U0000001"}, ""},
		{"a person by name", crowded(), "users.info", []string{"user", "ana"}, "user_not_found"},
		{"a person without the scope", noScopes, "users.info", []string{"user", "U0000001"}, "missing_scope"},
		{"a group", crowded(), "usergroups.users.list", []string{"usergroup", "S0000001"}, ""},
		{"no group", crowded(), "usergroups.users.list", []string{"usergroup", "S9"}, "no_such_subteam"},
		{"a disabled group", crowded(), "usergroups.users.list", []string{"usergroup", "S0000002"}, "no_such_subteam"},
		{"a disabled group on request", crowded(), "usergroups.users.list", []string{"usergroup", "S0000002", "include_disabled", "true"}, ""},
		{"a group without the scope", noScopes, "usergroups.users.list", []string{"usergroup", "S0000001"}, "missing_scope"},
		{"an ephemeral message", crowded(), "chat.postEphemeral", []string{"channel", "noc", "user", "U0000001", "text", "psst"}, ""},
		{"one for an outsider", crowded(), "chat.postEphemeral", []string{"channel", "noc", "user", "U0000003", "text", "psst"}, "user_not_in_channel"},
		{"one for nobody", crowded(), "chat.postEphemeral", []string{"channel", "noc", "text", "psst"}, "user_not_in_channel"},
		{"one without words", crowded(), "chat.postEphemeral", []string{"channel", "noc", "user", "U0000001"}, "no_text"},
		{"a link to nothing", crowded(), "chat.getPermalink", []string{"channel", "C0000001", "message_ts", "1.000000"}, "message_not_found"},
		{"a link into nowhere", crowded(), "chat.getPermalink", []string{"channel", "C9", "message_ts", "1.000000"}, "channel_not_found"},
		{"a file without the scope", noScopes, "files.getUploadURLExternal", []string{"filename", "x", "length", "1"}, "missing_scope"},
		{"a file without a name", crowded(), "files.getUploadURLExternal", []string{"length", "1"}, "invalid_arguments"},
		{"a file of no length", crowded(), "files.getUploadURLExternal", []string{"filename", "x", "length", "0"}, "missing_argument"},
		{"a huge file", crowded(), "files.getUploadURLExternal", []string{"filename", "x", "length", "4194305"}, "file_upload_size_restricted"},
		{"too long an alternative", crowded(), "files.getUploadURLExternal", []string{"filename", "x", "length", "1", "alt_txt", long}, "alt_txt_too_large"},
		{"no files", crowded(), "files.completeUploadExternal", []string{"files", "[]"}, "invalid_arguments"},
		{"an unknown file", crowded(), "files.completeUploadExternal", []string{"files", `[{"id":"F1"}]`}, "file_not_found"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			answer := start(t, c.options).call(c.method, c.args...)
			code, _ := answer["error"].(string)
			if ok := answer["ok"] == true; code != c.want || ok != (c.want == "") {
				t.Errorf("the answer is %v, want the error %q", answer, c.want)
			}
		})
	}
}

func TestPeople(t *testing.T) {
	w := start(t, crowded())
	ana, err := w.api().GetUserInfoContext(t.Context(), "U0000001")
	if err != nil || ana.Name != "ana" || ana.TZ != "Europe/Madrid" {
		t.Errorf("ana is %+v, %v", ana, err)
	}
	if group, err := w.api().GetUserGroupMembersContext(t.Context(), "S0000001"); err != nil || !slices.Equal(group, []string{"U0000002"}) {
		t.Errorf("the group is %v, %v", group, err)
	}
	var all []string
	for cursor := ""; ; {
		page, next, err := w.api().GetUsersInConversationContext(t.Context(), &slack.GetUsersInConversationParameters{ChannelID: "C0000002", Cursor: cursor, Limit: 3})
		if err != nil || len(page) > 3 {
			t.Fatal(page, err)
		}
		if all, cursor = append(all, page...), next; next == "" {
			break
		}
	}
	if want := []string{"U0000001", "U0000002", "U0000003", "U000FAKE"}; !slices.Equal(all, want) {
		t.Errorf("members are %v, want %v", all, want)
	}
}

func TestEphemeralIsSeenByOne(t *testing.T) {
	w := start(t, crowded())
	w.call("chat.postEphemeral", "channel", "noc", "user", "U0000001", "text", "psst")
	if got := w.Ephemeral("noc", "ana"); len(got) != 1 || got[0].Text != "psst" || got[0].To != "U0000001" {
		t.Errorf("ana sees %+v", got)
	}
	if others, all := w.Ephemeral("noc", "luis"), w.Messages("noc"); len(others)+len(all) > 0 {
		t.Errorf("others see %+v, %+v", others, all)
	}
	w.expect(nil, "conversations.history", "channel", "C0000001")
}

func TestPermalink(t *testing.T) {
	w := start(t, fakeslack.Options{})
	ts := w.Say("noc", "hello")
	link := func(w workspace, ts string) any {
		return w.call("chat.getPermalink", "channel", "C0000001", "message_ts", ts)["permalink"]
	}
	if got, want := link(w, ts), "https://fake.slack.com/archives/C0000001/p"+strings.Replace(ts, ".", "", 1); got != want {
		t.Errorf("the link is %v, want %v", got, want)
	}
	w = start(t, fakeslack.Options{PageURL: "http://127.0.0.1:8080/slack/"})
	ts = w.Say("noc", "hello")
	if got, want := link(w, ts), "http://127.0.0.1:8080/slack/?channel=C0000001#m"+ts; got != want {
		t.Errorf("the link is %v, want %v", got, want)
	}
}

func TestFiles(t *testing.T) {
	w := start(t, fakeslack.Options{})
	root := w.call("chat.postMessage", "channel", "noc", "text", "root")["ts"].(string)
	png := []byte("\x89PNG\r\n\x1a\nand so on")
	file, err := w.api().UploadFileContext(t.Context(), slack.UploadFileParameters{
		Filename: "../chart.png", FileSize: len(png), Reader: bytes.NewReader(png), Title: "Last 24 h", AltTxt: "congestion rose",
		Channel: "C0000001", ThreadTimestamp: root, InitialComment: "the chart",
	})
	if err != nil || file.Title != "Last 24 h" {
		t.Fatal(file, err)
	}
	thread := w.Thread("noc", root)
	if len(thread) != 1 || thread[0].Text != "the chart" || len(thread[0].Files) != 1 {
		t.Fatalf("the thread is %+v", thread)
	}
	got := thread[0].Files[0]
	want := fakeslack.File{ID: file.ID, Name: "chart.png", Title: "Last 24 h", AltText: "congestion rose", Type: "image/png", Data: png}
	if got.ID != want.ID || got.Name != want.Name || got.Title != want.Title || got.AltText != want.AltText || got.Type != want.Type || !bytes.Equal(got.Data, png) {
		t.Errorf("the file is %+v, want %+v", got, want)
	}
	replies, _, _, err := w.api().GetConversationRepliesContext(t.Context(), &slack.GetConversationRepliesParameters{ChannelID: "C0000001", Timestamp: root})
	if err != nil || len(replies) != 2 || len(replies[1].Files) != 1 || replies[1].Files[0].Mimetype != "image/png" {
		t.Errorf("replies are %+v, %v", replies, err)
	}
	for _, r := range w.Requests("upload") {
		if len(r.Args) != 1 || r.Args["bytes"] != "17" {
			t.Errorf("the ledger has %v", r.Args)
		}
	}
	if r := w.Requests("files.completeUploadExternal"); len(r) != 1 || r[0].TS != thread[0].TS {
		t.Errorf("the ledger has %+v", r)
	}
	if again := w.call("files.completeUploadExternal", "files", `[{"id":"`+file.ID+`"}]`)["error"]; again != "file_not_found" {
		t.Errorf("sharing twice gives %v", again)
	}
}

func TestFileIsWhole(t *testing.T) {
	w := start(t, fakeslack.Options{})
	announced := w.call("files.getUploadURLExternal", "filename", "a.txt", "length", "5")
	address, id := announced["upload_url"].(string), announced["file_id"].(string)
	post := func(content string) int {
		resp, err := http.Post(address, "application/octet-stream", strings.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	complete := func(args ...string) any {
		return w.call("files.completeUploadExternal", append(args, "files", `[{"id":"`+id+`"}]`)...)["error"]
	}
	if code := post("four"); code != http.StatusBadRequest || complete() != "file_not_found" {
		t.Errorf("part of a file is taken: %d", code)
	}
	if code := post("five!"); code != http.StatusOK {
		t.Errorf("a file is refused: %d", code)
	}
	if got := complete("channel_id", "noc"); got != "channel_not_found" {
		t.Errorf("a channel by name gives %v", got)
	}
	if got := complete("channels", "C0000001,C0000009"); got != "channel_not_found" || len(w.Messages("noc")) > 0 {
		t.Errorf("a wrong channel beside a right one gives %v", got)
	}
	if got := complete("channel_id", "C0000001"); got != nil || len(w.Roots("noc")) != 1 {
		t.Errorf("sharing gives %v", got)
	}
}

func TestUploadFaults(t *testing.T) {
	w := start(t, fakeslack.Options{})
	w.Fail("upload", fakeslack.Status(503))
	_, err := w.api().UploadFileContext(t.Context(), slack.UploadFileParameters{Filename: "a", FileSize: 1, Reader: strings.NewReader("a"), Channel: "C0000001"})
	if err == nil || len(w.Messages("noc")) > 0 {
		t.Errorf("the upload fails with %v", err)
	}
}

func TestAdopt(t *testing.T) {
	w := start(t, fakeslack.Options{Adopt: true})
	now := w.Say("noc", "now")
	w.call("chat.update", "channel", "C0000001", "ts", "1700000000.000100", "text", "from before")
	w.call("chat.postMessage", "channel", "noc", "text", "reply", "thread_ts", "1700000000.000050")
	var texts []string
	for _, m := range w.Roots("noc") {
		texts = append(texts, m.Text)
	}
	if want := []string{fakeslack.Adopted, "from before", "now"}; !slices.Equal(texts, want) {
		t.Errorf("the channel shows %q, want %q", texts, want)
	}
	if thread := w.Thread("noc", "1700000000.000050"); len(thread) != 1 || thread[0].TS <= now {
		t.Errorf("the thread is %+v", thread)
	}
	for _, ts := range []string{"", "now", "1700000000.1", "-1.000000", "99999999999999999999.000000"} {
		if code := w.call("chat.update", "channel", "C0000001", "ts", ts, "text", "x")["error"]; code != "message_not_found" {
			t.Errorf("an edit of %q gives %v", ts, code)
		}
	}
	if before := len(w.Roots("noc")); w.call("chat.update", "channel", "C0000001", "ts", "1700000001.000000")["error"] != "no_text" || len(w.Roots("noc")) != before {
		t.Error("a refused edit creates a message")
	}
}

func TestKeep(t *testing.T) {
	clock := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	w := start(t, fakeslack.Options{Keep: 4, Now: func() time.Time { return clock }})
	root := w.call("chat.postMessage", "channel", "noc", "text", "root")["ts"].(string)
	post := func(text, thread string) {
		w.call("chat.postMessage", "channel", "noc", "text", text, "thread_ts", thread)
		w.call("chat.postEphemeral", "channel", "noc", "user", "U0000001", "text", text)
	}
	for _, text := range []string{"a", "b", "c", "d"} {
		post(text, root)
	}
	w.expect([]string{"root", "b", "c", "d"}, "conversations.replies", "channel", "C0000001", "ts", root)
	for _, text := range []string{"1", "2", "3", "4"} {
		post(text, "")
	}
	w.expect([]string{"4", "3", "2", "1"}, "conversations.history", "channel", "C0000001")
	if r, e := len(w.Requests()), len(w.Ephemeral("noc", "ana")); r != 4 || e != 4 {
		t.Errorf("%d requests and %d ephemeral messages are kept", r, e)
	}
}
