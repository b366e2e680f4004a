package target

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/internal/certs"
	"github.com/gatehouse/gatehouse/internal/clock"
)

// engine starts valkey-server with the persistence that Gatehouse gives its
// engines, and one user.
func (t *Target) engine(o Options, settings ...string) error {
	sum := sha256.Sum256([]byte(t.Server.Password))
	lines := append([]string{
		"bind 127.0.0.1",
		"dir " + o.Dir,
		"appendonly yes",
		"appendfsync everysec",
		`save ""`,
		"io-threads 1",
		"maxclients " + strconv.Itoa(max(o.Connections, 1000)),
		"user default reset off",
		"user " + userName + " reset on #" + hex.EncodeToString(sum[:]) + " ~* &* +@all",
	}, settings...)
	p, err := launch(o.Dir, "engine", strings.Join(lines, "\n")+"\n", "valkey-server", "-")
	if err != nil {
		return err
	}
	t.processes = append(t.processes, p)
	t.Engine = p.pid()
	return nil
}

func (t *Target) startPlain(_ context.Context, o Options) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	if err := t.listensAt(port, ""); err != nil {
		return err
	}
	return t.engine(o, fmt.Sprintf("port %d", port))
}

func (t *Target) startNative(_ context.Context, o Options) error {
	port, pair, err := t.tlsPort(o)
	if err != nil {
		return err
	}
	return t.engine(o, "port 0", fmt.Sprintf("tls-port %d", port), "tls-auth-clients no",
		"tls-cert-file "+pair.cert, "tls-key-file "+pair.key, "tls-ca-cert-file "+pair.ca)
}

// pair are files of a certificate and its key.
type pair struct{ ca, cert, key, both string }

// tlsPort makes a certificate of the kind that Gatehouse issues (ECDSA P-256,
// signed by an authority of its own) and gives the target a port.
func (t *Target) tlsPort(o Options) (int, pair, error) {
	files := pair{cert: o.file("cert.pem"), key: o.file("key.pem"), both: o.file("both.pem")}
	authority, err := certs.OpenAuthority(o.Dir, clock.Real)
	if err != nil {
		return 0, files, err
	}
	files.ca = authority.File()
	issued, err := authority.Issue([]string{"127.0.0.1"})
	if err != nil {
		return 0, files, err
	}
	key, err := x509.MarshalECPrivateKey(issued.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		return 0, files, fmt.Errorf("writing the server's key: %w", err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issued.Certificate[0]})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: key})
	for path, text := range map[string][]byte{files.cert: certPEM, files.key: keyPEM, files.both: append(certPEM, keyPEM...)} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return 0, files, fmt.Errorf("writing the server's certificate: %w", err)
		}
	}
	port, err := freePort()
	if err != nil {
		return 0, files, err
	}
	return port, files, t.listensAt(port, files.ca)
}
