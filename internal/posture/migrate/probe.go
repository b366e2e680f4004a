package migrate

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// The probes. Each asks the service as a stranger would, and holds when it is
// refused.
const (
	probeHTTP    = "unsigned-request-refused" // target: URL; method
	probeSocket  = "unsigned-upgrade-refused" // target: URL of a WebSocket API's stage
	probeGraphQL = "graphql-refused"          // target: URL; key: name of a hidden value, optional
	probeCache   = "tokenless-ping-refused"   // target: path of an Address and Port in the configuration
)

// probeTimeout bounds one question; maxAnswer what is read of its answer.
const (
	probeTimeout = 10 * time.Second
	maxAnswer    = 4 << 10
)

func (r *Runner) probe(ctx context.Context, c Check, conf Configuration) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	switch c.Probe {
	case probeHTTP:
		return r.askHTTP(ctx, c.Params["method"], c.Params["target"], "", nil)
	case probeSocket:
		return r.askHTTP(ctx, http.MethodGet, c.Params["target"], "", upgrade())
	case probeGraphQL:
		header := http.Header{}
		if name := c.Params["key"]; name != "" {
			header.Set("X-Api-Key", conf.Hidden[name])
		}
		return r.askHTTP(ctx, http.MethodPost, c.Params["target"], `{"query":"{__typename}"}`, header)
	case probeCache:
		return r.askCache(ctx, c.Params["target"], conf)
	}
	return fmt.Errorf("the plan names the probe %q, which does not exist", c.Probe)
}

// upgrade asks for a WebSocket (RFC 6455, section 4.1); a fixed key will do,
// because the connection is not kept.
func upgrade() http.Header {
	return http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"Z2F0ZWhvdXNlLXByb2JlLQ=="},
	}
}

// askHTTP holds when the answer is 401 or 403. Redirects are not followed: they
// are no refusal.
func (r *Runner) askHTTP(ctx context.Context, method, url, body string, header http.Header) error {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewBufferString(body))
	if err != nil {
		return fmt.Errorf("asking %s: %w", url, err)
	}
	if header != nil {
		req.Header = header
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if r.HTTP != nil {
		client.Transport = r.HTTP.Transport
	}
	answer, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("asking %s: %w", url, err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusSwitchingProtocols { // an open socket's body is the connection, and never ends
		_, _ = io.CopyN(io.Discard, answer.Body, maxAnswer)
	}
	if answer.StatusCode != http.StatusUnauthorized && answer.StatusCode != http.StatusForbidden {
		return fmt.Errorf("%s %s without a credential was answered with %d, not 401 or 403", method, url, answer.StatusCode)
	}
	return nil
}

// askCache sends PING over TLS without logging in.
func (r *Runner) askCache(ctx context.Context, path string, conf Configuration) error {
	host, port := conf.at(path+".Address"), conf.at(path+".Port")
	if host == nil || port == nil {
		return errors.New("the service names no endpoint to ask")
	}
	address := net.JoinHostPort(fmt.Sprint(host), fmt.Sprint(port))
	answer, err := Ping(ctx, address, r.TLS)
	if err != nil {
		return fmt.Errorf("asking %s (run this where the cache can be reached): %w", address, err)
	}
	if !strings.HasPrefix(answer, "-NOAUTH") && !strings.HasPrefix(answer, "-WRONGPASS") && !strings.HasPrefix(answer, "-NOPERM") {
		return fmt.Errorf("a PING to %s without a login was answered with %q, not NOAUTH", address, answer)
	}
	return nil
}

// Ping sends PING over TLS without logging in and returns the first line of the
// answer.
func Ping(ctx context.Context, address string, config *tls.Config) (string, error) {
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	dialer := tls.Dialer{Config: config, NetDialer: &net.Dialer{Timeout: probeTimeout}}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(probeTimeout)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, "*1\r\n$4\r\nPING\r\n"); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(io.LimitReader(conn, maxAnswer)).ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}
