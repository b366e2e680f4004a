// Package load makes clients work against one server and says what they saw:
// requests per second and latencies with valkey-benchmark, the latency of one
// client to the nanosecond, connections per second, idle connections.
//
// It owns the clients and the proof that they did what is claimed: that they
// were logged in, that the engine served exactly their requests, and that the
// keys existed. What the servers are, and what CPU and memory all this took, is
// its callers' business.
package load

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// Server is where clients connect and as whom they log in.
type Server struct {
	Address        string
	CA             string      // file with the authority of its certificate, "" for plaintext
	TLS            *tls.Config // nil for plaintext
	User, Password string
}

// replyTimeout bounds one exchange: a server that is silent for this long is
// broken, not slow.
const replyTimeout = 20 * time.Second

// Pool reads an authority's certificate.
func Pool(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the authority's certificate: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return pool, nil
}

// conn is a client's connection. Commands are sent one at a time.
type conn struct {
	net.Conn
	in *bufio.Reader
}

// small is enough for the replies of AUTH and GET; thousands of idle
// connections are held in this process too.
const small = 256

// dial connects, with TLS if the server has it, and does not log in. config
// stands in for the server's if it is not nil.
func dial(ctx context.Context, s Server, config *tls.Config) (*conn, error) {
	raw, err := (&net.Dialer{Timeout: replyTimeout}).DialContext(ctx, "tcp", s.Address)
	if err != nil {
		return nil, err
	}
	if err := raw.SetDeadline(time.Now().Add(replyTimeout)); err != nil {
		_ = raw.Close()
		return nil, err
	}
	if config == nil {
		config = s.TLS
	}
	if config == nil {
		return &conn{Conn: raw, in: bufio.NewReaderSize(raw, small)}, nil
	}
	secure := tls.Client(raw, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, fmt.Errorf("TLS handshake: %w", err)
	}
	return &conn{Conn: secure, in: bufio.NewReaderSize(secure, small)}, nil
}

// login connects and logs in.
func login(ctx context.Context, s Server, config *tls.Config) (*conn, error) {
	c, err := dial(ctx, s, config)
	if err != nil {
		return nil, err
	}
	if _, err := c.do("AUTH", s.User, s.Password); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

func command(words ...string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, word := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(word), word)
	}
	return []byte(b.String())
}

// do sends a command and returns its reply's text.
func (c *conn) do(words ...string) (string, error) {
	if err := c.SetDeadline(time.Now().Add(replyTimeout)); err != nil {
		return "", err
	}
	if _, err := c.Write(command(words...)); err != nil {
		return "", fmt.Errorf("sending %s: %w", words[0], err)
	}
	reply, err := c.reply()
	if err != nil {
		return "", fmt.Errorf("%s: %w", words[0], err)
	}
	return reply, nil
}

// errNil is the reply of GET for a key that does not exist.
var errNil = errors.New("the key does not exist")

// reply reads a simple string, an error, a number or a bulk string.
func (c *conn) reply() (string, error) {
	line, err := c.in.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", errors.New("an empty line in place of a reply")
	}
	switch line[0] {
	case '+', ':':
		return line[1:], nil
	case '-':
		return "", errors.New(line[1:])
	case '$':
		return c.bulk(line[1:])
	}
	return "", fmt.Errorf("the reply %.20q was not expected", line)
}

// maxBulk bounds a reply; the longest asked for is INFO.
const maxBulk = 1 << 20

func (c *conn) bulk(length string) (string, error) {
	n, err := strconv.Atoi(length)
	if err != nil || n > maxBulk {
		return "", fmt.Errorf("a reply of %s bytes was not expected", length)
	}
	if n < 0 {
		return "", errNil
	}
	text := make([]byte, n+2)
	if _, err := io.ReadFull(c.in, text); err != nil {
		return "", err
	}
	return string(text[:n]), nil
}

// Command runs one command as the server's user.
func Command(ctx context.Context, s Server, words ...string) error {
	c, err := login(ctx, s, nil)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	_, err = c.do(words...)
	return err
}

// CheckLogin proves that a server takes the login and that nothing is served
// without: whoever was served has logged in.
func CheckLogin(ctx context.Context, s Server) error {
	stranger, err := dial(ctx, s, nil)
	if err != nil {
		return err
	}
	defer func() { _ = stranger.Close() }()
	if reply, err := stranger.do("GET", "key"); err == nil || !strings.Contains(err.Error(), "NOAUTH") {
		return fmt.Errorf("a client without a login is answered %q, error %v; NOAUTH was expected", reply, err)
	}
	c, err := login(ctx, s, nil)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	who, err := c.do("ACL", "WHOAMI")
	if err != nil {
		return err
	}
	if who != s.User {
		return fmt.Errorf("the client is %q after logging in as %q", who, s.User)
	}
	return nil
}
