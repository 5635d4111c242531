package natsroles_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"unconnected/internal/natsroles"
)

const (
	producer = natsroles.Producer
	alerter  = natsroles.Alerter
	reader   = natsroles.Reader
	admin    = natsroles.Admin
)

var nobody []string

// serve starts a server that includes deploy/nats/users.conf, as deployments do. Every role's password is its name.
func serve(t *testing.T) *server.Server {
	t.Helper()
	for _, role := range natsroles.Roles() {
		t.Setenv(strings.ToUpper(role.Name)+"_PASSWORD", role.Name)
	}
	users, err := os.ReadFile("../../deploy/nats/users.conf")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string]string{
		"users.conf": string(users),
		"nats.conf":  "listen: \"127.0.0.1:-1\"\njetstream {store_dir: \"" + dir + "\"}\ninclude users.conf\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	options, err := server.ProcessConfigFile(filepath.Join(dir, "nats.conf"))
	if err != nil {
		t.Fatal(err)
	}
	options.NoSigs, options.NoLog = true, true
	s, err := server.NewServer(options)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not start")
	}
	return s
}

// as connects as the user of a role.
func as(t *testing.T, s *server.Server, role string) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(s.ClientURL(), nats.UserInfo(role, role), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// refused tells whether the server has refused the subject that was used last: it says so before it answers the flush.
func refused(t *testing.T, nc *nats.Conn, subject string) bool {
	t.Helper()
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	err := nc.LastError()
	return errors.Is(err, nats.ErrPermissionViolation) && strings.Contains(strings.ToLower(err.Error()), strings.ToLower(`"`+subject+`"`))
}

// TestPublish: for each subject, exactly who may publish to it. Requests are published, too.
func TestPublish(t *testing.T) {
	s := serve(t)
	reading := []string{alerter, reader, admin}
	for subject, may := range map[string][]string{
		"calls.unconnected":                      {producer, admin},
		"calls.unconnected.ventas":               {producer, admin},
		"calls.unconnected.ventas.x":             nobody,
		"alerts.unconnected.default.Busy":        {alerter, admin},
		"alerts.actions.default":                 {alerter, admin},
		"alerts.else":                            nobody,
		"$KV.unconnected_marks.default":          {producer, admin},
		"$KV.unconnected_status.default":         {producer, admin},
		"$KV.unconnected_leases.5e884898":        {producer, admin},
		"$KV.unconnected_leases.quota.5e88":      {producer, admin},
		"$KV.unconnected_leases.5e.wait.ID":      {producer, admin},
		"$KV.unconnected_leases.alerter":         {alerter, admin},
		"$KV.unconnected_leases.alerter.wait.ID": {alerter, admin},
		"$KV.unconnected_alerter.position":       {alerter, admin},
		"$KV.unconnected_notices.a.b":            {alerter, admin},
		"$KV.unconnected_snapshots.default":      {alerter, admin},
		"$KV.unconnected_silences.id":            {alerter, admin},
		"$KV.else.key":                           nobody,

		"$JS.API.STREAM.INFO.CALLS":                         {producer, alerter, reader, admin},
		"$JS.API.CONSUMER.CREATE.CALLS.x":                   {producer, alerter, reader, admin},
		"$JS.API.DIRECT.GET.CALLS.calls.unconnected":        {producer, alerter, reader, admin},
		"$JS.API.STREAM.INFO.ALERTS":                        reading,
		"$JS.API.CONSUMER.CREATE.ALERTS.x":                  reading,
		"$JS.API.CONSUMER.MSG.NEXT.ALERTS.x":                reading,
		"$JS.API.DIRECT.GET.ALERTS":                         reading,
		"$JS.API.DIRECT.GET.ALERTS.alerts.unconnected.x.y":  reading,
		"$JS.ACK.CALLS.team.1.1.1.1.1":                      {reader, admin},
		"$JS.API.STREAM.INFO.KV_unconnected_marks":          {producer, reader, admin},
		"$JS.API.CONSUMER.CREATE.KV_unconnected_marks.x":    {reader, admin},
		"$JS.API.CONSUMER.CREATE.KV_unconnected_status.x":   {alerter, admin},
		"$JS.API.CONSUMER.CREATE.KV_unconnected_alerter.x":  nobody,
		"$JS.API.CONSUMER.CREATE.KV_unconnected_notices.x":  {alerter, admin},
		"$JS.API.DIRECT.GET.KV_unconnected_alerter.x":       {alerter, admin},
		"$JS.API.DIRECT.GET.KV_unconnected_snapshots.x":     {alerter, admin},
		"$JS.API.CONSUMER.CREATE.KV_unconnected_leases.x":   {producer, alerter, admin},
		"$JS.API.CONSUMER.CREATE.KV_unconnected_silences.x": reading,
		"$JS.API.CONSUMER.DURABLE.CREATE.CALLS.x":           nobody,
		"$JS.API.CONSUMER.CREATE.CALLS":                     nobody,
		"$JS.API.STREAM.MSG.GET.CALLS":                      nobody,
		"$JS.API.STREAM.LIST":                               nobody,
		"$JS.API.STREAM.NAMES":                              nobody,
		"$JS.API.CONSUMER.LIST.CALLS":                       {admin},

		"$JS.API.INFO":                                  {admin},
		"$JS.API.STREAM.CREATE.CALLS":                   {admin},
		"$JS.API.STREAM.CREATE.ALERTS":                  {admin},
		"$JS.API.STREAM.CREATE.KV_unconnected_leases":   {admin},
		"$JS.API.STREAM.CREATE.KV_unconnected_silences": {admin},
		"$JS.API.STREAM.UPDATE.CALLS":                   {admin},
		"$JS.API.STREAM.UPDATE.KV_unconnected_leases":   {admin},
		"$JS.API.STREAM.CREATE.ELSE":                    nobody,
		"$JS.API.STREAM.PURGE.KV_unconnected_notices":   {alerter, admin},
		"$JS.API.STREAM.PURGE.KV_unconnected_marks":     nobody,
		"$JS.API.STREAM.PURGE.KV_unconnected_leases":    nobody,
		"$JS.API.STREAM.PURGE.CALLS":                    nobody,
		"$JS.API.STREAM.PURGE.ALERTS":                   nobody,
		"$JS.API.STREAM.DELETE.CALLS":                   nobody,
		"$JS.API.STREAM.DELETE.ALERTS":                  nobody,
		"$JS.API.STREAM.DELETE.KV_unconnected_notices":  nobody,
		"$JS.API.STREAM.MSG.DELETE.CALLS":               nobody,
		"$JS.API.STREAM.MSG.DELETE.ALERTS":              nobody,
		"$JS.API.STREAM.SNAPSHOT.CALLS":                 {admin},
		"$JS.API.STREAM.RESTORE.CALLS":                  {admin},
		"$JS.API.STREAM.SNAPSHOT.KV_unconnected_marks":  nobody,
		"$JS.API.STREAM.RESTORE.KV_unconnected_marks":   nobody,
		"$JS.API.STREAM.RESTORE.ELSE":                   nobody,
		"$JS.SNAPSHOT.ACK.CALLS.ID":                     {admin},
		"$JS.SNAPSHOT.RESTORE.ALERTS.ID":                {admin},
		"$JS.SNAPSHOT.RESTORE.KV_unconnected_leases.ID": nobody,
		"$SYS.REQ.USER.INFO":                            {producer, alerter, reader, admin},
		"$SYS.REQ.SERVER.PING":                          nobody,
		"_INBOX_admin.x":                                nobody,
	} {
		for _, role := range natsroles.Roles() {
			nc := as(t, s, role.Name)
			if err := nc.Publish(subject, nil); err != nil {
				t.Fatal(err)
			}
			if allowed, want := !refused(t, nc, subject), slices.Contains(may, role.Name); allowed != want {
				t.Errorf("%s may publish to %s: %v, want %v", role.Name, subject, allowed, want)
			}
		}
	}
}

// TestSubscribe: nobody sees anything but the answers to its own requests. Streams are read by requests.
func TestSubscribe(t *testing.T) {
	s := serve(t)
	for subject, may := range map[string][]string{
		">": nobody, "calls.>": nobody, "calls.unconnected": nobody, "alerts.>": nobody, "$KV.>": nobody, "$JS.>": nobody,
		"$SYS.>": nobody, "_INBOX.>": nobody, "_INBOX_*.x": nobody,
		"_INBOX_producer.>": {producer}, "_INBOX_alerter.>": {alerter}, "_INBOX_reader.>": {reader},
		"_INBOX_admin.>": {admin}, "_INBOX_unconnected.x.*": {admin},
	} {
		for _, role := range natsroles.Roles() {
			nc := as(t, s, role.Name)
			if _, err := nc.SubscribeSync(subject); err != nil {
				t.Fatal(err)
			}
			if allowed, want := !refused(t, nc, subject), slices.Contains(may, role.Name); allowed != want {
				t.Errorf("%s may subscribe to %s: %v, want %v", role.Name, subject, allowed, want)
			}
		}
	}
}

// TestNobodyElse: there is no other way in.
func TestNobodyElse(t *testing.T) {
	s := serve(t)
	for name, option := range map[string]nats.Option{
		"no user":          nats.Name("anybody"),
		"another user":     nats.UserInfo("tester", "tester"),
		"a wrong password": nats.UserInfo(admin, "wrong"),
	} {
		if nc, err := nats.Connect(s.ClientURL(), option); !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("%s: %v, want it to be refused", name, err)
			if err == nil {
				nc.Close()
			}
		}
	}
}

// TestAServerWithoutPasswordsDoesNotStart: a forgotten variable is no open door.
func TestAServerWithoutPasswordsDoesNotStart(t *testing.T) {
	for name, set := range map[string]func(*testing.T){
		"unset": func(*testing.T) {},
		"one empty": func(t *testing.T) {
			for _, role := range natsroles.Roles() {
				t.Setenv(strings.ToUpper(role.Name)+"_PASSWORD", role.Name)
			}
			t.Setenv("ADMIN_PASSWORD", "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			set(t)
			if _, err := server.ProcessConfigFile("../../deploy/nats/users.conf"); err == nil {
				t.Error("the configuration is taken")
			}
		})
	}
}
