package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/diagnosis"
	"unconnected/internal/natsroles"
	"unconnected/producer/wolkvox/simulator"
)

// withRoles starts a NATS whose users have the rights of the roles, and no others; the password is the clinic's.
func (c *clinic) withRoles() {
	c.t.Helper()
	for _, role := range natsroles.Roles() {
		c.set(strings.ToUpper(role.Name)+"_PASSWORD", clinicPassword)
	}
	dir := c.t.TempDir()
	var conf bytes.Buffer
	conf.WriteString("listen: \"127.0.0.1:-1\"\njetstream {store_dir: \"" + dir + "\"}\n")
	if err := natsroles.WriteConf(&conf, natsroles.Password); err != nil {
		c.t.Fatal(err)
	}
	file := filepath.Join(dir, "nats.conf")
	if err := os.WriteFile(file, conf.Bytes(), 0o600); err != nil {
		c.t.Fatal(err)
	}
	options, err := server.ProcessConfigFile(file)
	if err != nil {
		c.t.Fatal(err)
	}
	options.NoSigs, options.NoLog = true, true
	s, err := server.NewServer(options)
	if err != nil {
		c.t.Fatal(err)
	}
	s.Start()
	c.t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		c.t.Fatal("the server does not start")
	}
	c.set("NATS_URL", s.ClientURL())
}

// apply creates streams and buckets, as the admin does.
func (c *clinic) apply() {
	c.t.Helper()
	c.set("NATS_USER", natsroles.Admin)
	var settings streamsSettings
	if err := config.Load(&settings); err != nil {
		c.t.Fatal(err)
	}
	var out bytes.Buffer
	if err := (&streamsApply{}).Run(c.terminal(&out)); err != nil {
		c.t.Fatalf("%v: %s", err, out.String())
	}
}

// storeAsAdmin stores a window of long ago.
func (c *clinic) storeAsAdmin() {
	c.t.Helper()
	c.set("NATS_USER", natsroles.Admin)
	conn, err := c.terminal(io.Discard).connect()
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.close()
	store(c.t, conn.js, windowOf("default", 0))
}

// TestDoctorAsEachUser: with the least rights of a program, its part is checked, and nothing fails that is right.
func TestDoctorAsEachUser(t *testing.T) {
	c := newClinic(t, simulator.Options{})
	c.withRoles()
	c.apply()
	c.storeAsAdmin()
	admin := c.examine(0, doctorCommand{})
	admin.says(areaNATS, "permissions", diagnosis.OK, "producer and alerter")
	admin.says(areaStreams, "buckets", diagnosis.OK, "are there")
	admin.says(areaStreams, "consumers", diagnosis.OK, "")
	admin.says(areaWolkvox, "zone", diagnosis.OK, "")

	c.set("NATS_USER", natsroles.Producer, "SLACK_TOKEN", "", "SLACK_CHANNEL", "")
	producer := c.examine(0, doctorCommand{})
	producer.says(areaNATS, "permissions", diagnosis.OK, "producer")
	producer.says(areaStreams, events.StreamCalls, diagnosis.OK, "")
	producer.says(areaStreams, events.StreamAlerts, diagnosis.Skipped, "not for the producer to see → look with the user of the alerter")
	producer.says(areaStreams, "buckets", diagnosis.OK, "the 3 that this user may see are there")
	producer.warnsOf()
	producer.says(areaWolkvox, "zone", diagnosis.OK, "")

	c.set("NATS_USER", natsroles.Alerter, "WOLKVOX_TOKEN", "", "WOLKVOX_BASE_URL", "", "SLACK_TOKEN", clinicSlack, "SLACK_CHANNEL", "#noc")
	alerter := c.examine(0, doctorCommand{})
	alerter.says(areaNATS, "permissions", diagnosis.OK, "alerter")
	alerter.says(areaStreams, events.StreamAlerts, diagnosis.OK, "")
	alerter.says(areaStreams, "buckets", diagnosis.OK, "the 6 that this user may see are there")
	alerter.warnsOf("judging")
	alerter.says(areaAlerter, "judging", diagnosis.Warning, "start the alerter")
	alerter.says(areaHistory, "log", diagnosis.OK, "complete up to")
	alerter.says(areaHistory, "producer", diagnosis.Skipped, "none has said anything yet")
	alerter.says(areaSlack, "channel #noc", diagnosis.OK, "")

	c.set("NATS_USER", natsroles.Reader, "SLACK_TOKEN", "", "SLACK_CHANNEL", "")
	reader := c.examine(0, doctorCommand{})
	reader.says(areaHistory, "log", diagnosis.OK, "complete up to")
	reader.says(areaHistory, "producer", diagnosis.Skipped, "may not")
	reader.says(areaStreams, "leases", diagnosis.Skipped, "visible: bucket unconnected_leases: this user may not")
	reader.says(areaAlerter, "judging", diagnosis.Skipped, "may not")
	reader.warnsOf()

	c.set("WOLKVOX_BASE_URL", "http://127.0.0.1:1/", "WOLKVOX_TOKEN", clinicToken)
	reader = c.examine(1, doctorCommand{})
	reader.says(areaStreams, "leases", diagnosis.Failed, "the producer")
	reader.says(areaWolkvox, "api", diagnosis.Skipped, "not asked")
}
