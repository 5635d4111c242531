package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natsio"
)

// TestClusterKilled: a cluster of three nodes that is killed as a whole loses no message that it has acknowledged, neither
// before nor after. With compressed replicas it does, see the streams' definition: nodes that have a snapshot, which they
// take when they are stopped, cut their newest block back to it. The stream was made compressed, by an older version, and
// what `streams apply` changes must be enough.
func TestClusterKilled(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.start()
	js := c.connect()
	want := events.CallsStream(events.StreamOptions{Replicas: 3})
	older := want
	older.Compression = jetstream.S2Compression
	stream, err := js.CreateStream(t.Context(), older)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := natsio.EnsureBucket(t.Context(), js, natsio.BucketLeases, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := natsio.AmendBucket(t.Context(), js, natsio.BucketLeases, 3); err != nil {
		t.Fatal(err)
	}
	const each = 50
	c.publish(js, each)
	if changed, err := natsio.Amend(t.Context(), js, stream, want); err != nil || len(changed) != 1 {
		t.Fatalf("changed %v: %v", changed, err)
	}
	c.end(os.Interrupt)
	c.start()
	for stored := each; stored <= 3*each; stored += each {
		c.expect(js, stored)
		c.publish(js, each)
		c.end(os.Kill)
		c.start()
	}
	c.eventually(func(ctx context.Context) error {
		bucket, err := js.Stream(ctx, natsio.StreamOf(natsio.BucketLeases))
		if err == nil && bucket.CachedInfo().Config.Replicas != 3 {
			err = fmt.Errorf("the bucket has %d copies", bucket.CachedInfo().Config.Replicas)
		}
		return err
	})
	c.eventually(func(ctx context.Context) error {
		_, err := natsio.AmendBucket(ctx, js, natsio.BucketLeases, 1)
		if errors.Is(err, natsio.ErrLoses) {
			return nil
		}
		return fmt.Errorf("copies are taken away: %v", err)
	})
}

// cluster is three nats-server processes.
type cluster struct {
	t       *testing.T
	program string
	configs []string
	urls    []string
	nodes   []*exec.Cmd
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	dir := t.TempDir()
	c := &cluster{t: t, program: filepath.Join(dir, "nats-server")}
	if out, err := exec.Command("go", "build", "-o", c.program, "github.com/nats-io/nats-server/v2").CombinedOutput(); err != nil {
		t.Fatalf("build nats-server: %v\n%s", err, out)
	}
	ports := freePorts(t, 6)
	var routes []string
	for _, port := range ports[3:] {
		routes = append(routes, fmt.Sprintf("nats-route://127.0.0.1:%d", port))
	}
	for i := range 3 {
		config := filepath.Join(dir, fmt.Sprintf("n%d.conf", i+1))
		text := fmt.Sprintf("server_name: n%d\nlisten: 127.0.0.1:%d\njetstream { store_dir: %q, sync_interval: always }\n"+
			"cluster { name: c, listen: 127.0.0.1:%d, routes: [%s] }\n",
			i+1, ports[i], filepath.Join(dir, fmt.Sprint(i+1)), ports[3+i], strings.Join(routes, ", "))
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c.configs = append(c.configs, config)
		c.urls = append(c.urls, fmt.Sprintf("nats://127.0.0.1:%d", ports[i]))
	}
	t.Cleanup(func() { c.end(os.Kill) })
	return c
}

// freePorts are ports that were free a moment ago: the nodes have to know each other's before they start.
func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

func (c *cluster) start() {
	c.t.Helper()
	for _, config := range c.configs {
		node := exec.Command(c.program, "--config", config)
		node.Env = append(os.Environ(), "GOMAXPROCS=1") // the order in which the race is lost
		if err := node.Start(); err != nil {
			c.t.Fatal(err)
		}
		c.nodes = append(c.nodes, node)
	}
}

// end sends a signal to all nodes and waits for their end.
func (c *cluster) end(signal os.Signal) {
	for _, node := range c.nodes {
		_ = node.Process.Signal(signal)
	}
	for _, node := range c.nodes {
		_ = node.Wait()
	}
	c.nodes = nil
}

// connect returns when the cluster does its work.
func (c *cluster) connect() jetstream.JetStream {
	c.t.Helper()
	nc, err := nats.Connect(strings.Join(c.urls, ","), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		c.t.Fatal(err)
	}
	c.eventually(func(ctx context.Context) error { _, err := js.AccountInfo(ctx); return err })
	return js
}

// publish stores n messages.
func (c *cluster) publish(js jetstream.JetStream, n int) {
	c.t.Helper()
	for range n {
		if _, err := js.Publish(c.t.Context(), events.Subject("default"), make([]byte, 600)); err != nil {
			c.t.Fatal(err)
		}
	}
}

// expect looks for each of the first n messages, on the node that leads.
func (c *cluster) expect(js jetstream.JetStream, n int) {
	c.t.Helper()
	var stream jetstream.Stream
	c.eventually(func(ctx context.Context) (err error) {
		if stream, err = js.Stream(ctx, events.StreamCalls); err == nil && stream.CachedInfo().Cluster.Leader == "" {
			err = fmt.Errorf("nobody leads")
		}
		return err
	})
	if last := stream.CachedInfo().State.LastSeq; last != uint64(n) {
		c.t.Fatalf("the last message is %d, want %d", last, n)
	}
	for i := range n {
		c.eventually(func(ctx context.Context) error {
			if _, err := stream.GetMsg(ctx, uint64(i+1)); err != nil {
				return fmt.Errorf("message %d of %d: %w", i+1, n, err)
			}
			return nil
		})
	}
}

// eventually waits for what a cluster does when it has found a leader.
func (c *cluster) eventually(try func(context.Context) error) {
	c.t.Helper()
	eventually(c.t, func() error {
		ctx, cancel := context.WithTimeout(c.t.Context(), time.Second)
		defer cancel()
		return try(ctx)
	})
}
