package daemon

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"unconnected/internal/config"
)

// Healthcheck asks the daemon that has the same environment and defaults whether it is alive, for containers that have no
// other program to ask with. Where HTTP is off there is nothing to ask, and nothing is wrong. An error of the configuration
// is of [Usage].
func Healthcheck(defaults map[string]string) error {
	var c config.HTTP
	if err := config.Load(&c, config.Defaults(defaults)); err != nil {
		return Usage(err)
	}
	if !c.Addr.Enabled() {
		return nil
	}
	return askHealth(c.Addr)
}

func (p Program) healthcheck(stderr io.Writer) int {
	err := Healthcheck(p.Defaults)
	switch {
	case Code(err) == codeUsage:
		fmt.Fprintln(stderr, err)
	case err != nil:
		fmt.Fprintf(stderr, "%s: %v\n", p.Name, err)
	}
	return Code(err)
}

// askHealth is an error unless /healthz at addr answers with 200.
func askHealth(addr config.HTTPAddr) error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+Reachable(string(addr))+"/healthz", nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", req.URL, resp.Status)
	}
	return nil
}

// Reachable is an address to connect to from this machine, where the one listened on, such as that of [Daemon.Addr], means
// every interface. Any other, and what is no address, it returns as it is.
func Reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
