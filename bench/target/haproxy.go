package target

import (
	"context"
	"fmt"
	"os"
)

// haproxyConfiguration relays TLS to the engine's unix socket. The number of
// threads is HAProxy's own default, one per CPU; the time-outs are longer than
// any run.
const haproxyConfiguration = `global
	maxconn %d
defaults
	mode tcp
	timeout connect 10s
	timeout client 1h
	timeout server 1h
listen cache
	bind 127.0.0.1:%d ssl crt %s
	server engine unix@%s
`

func (t *Target) startHAProxy(ctx context.Context, o Options) error {
	port, pair, err := t.tlsPort(o)
	if err != nil {
		return err
	}
	socket := o.file("s")
	if err := t.engine(o, "port 0", "unixsocket "+socket, "unixsocketperm 600"); err != nil {
		return err
	}
	engine := t.processes[0]
	err = engine.await(ctx, "the engine's socket", func(context.Context) error { _, err := os.Stat(socket); return err })
	if err != nil {
		return err
	}
	config := o.file("haproxy.cfg")
	text := fmt.Sprintf(haproxyConfiguration, max(o.Connections, 1000), port, pair.both, socket)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return fmt.Errorf("writing HAProxy's configuration: %w", err)
	}
	p, err := launch(o.Dir, "haproxy", "", "haproxy", "-db", "-f", config) // -db: in the foreground, one process
	if err != nil {
		return err
	}
	t.processes = append(t.processes, p)
	t.Proxy = p.pid()
	return nil
}
