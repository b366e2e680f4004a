package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// Files in a node's directory that its engine proves itself with as a replica.
const (
	replicaAuthority   = "replica-ca.pem"
	replicaCertificate = "replica.pem"
	replicaKey         = "replica-key.pem"
)

// Certificate is what an engine proves with to be the node of a name when it
// follows another, in PEM, and the authority that it takes the other's from.
type Certificate struct{ Authority, Certificate, Key []byte }

// writeCertificate puts a new certificate into the node's directory.
func writeCertificate(dir string, c Certificate) error {
	for name, text := range map[string][]byte{replicaAuthority: c.Authority, replicaCertificate: c.Certificate, replicaKey: c.Key} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return fmt.Errorf("writing the certificate for replication: %w", err)
		}
	}
	return nil
}

// prepareReplication makes what a start of the engine needs to follow another,
// and returns the settings for it.
func (e *Engine) prepareReplication(r *run) ([]string, error) {
	if e.options.Certify == nil {
		return nil, nil
	}
	certificate, err := e.options.Certify(e.spec.Name)
	if err != nil {
		return nil, err
	}
	if err := writeCertificate(e.home.dir, certificate); err != nil {
		return nil, err
	}
	return replicationLines(digest(r.replica)), nil
}

// replicationLines are the settings of an engine that may follow another. It
// has no port for that itself: a replica dials the gateway's port of the node
// that it follows, with its certificate, and the gateway leads it to the
// engine's socket. So INFO, ROLE and scripts name the gateway's addresses, and
// there is no port to be taken over when an engine dies.
func replicationLines(replicaDigest string) []string {
	return []string{
		"tls-replication yes",
		"tls-ca-cert-file " + replicaAuthority,
		"tls-cert-file " + replicaCertificate,
		"tls-key-file " + replicaKey,
		"tls-protocols TLSv1.3",
		"tls-ciphersuites " + directory.ReplicaCipherSuites,
		// The data goes straight to the replica, and at once.
		"repl-diskless-sync yes",
		"repl-diskless-sync-delay 0",
		// An engine that stops does not wait for replicas, which may be stopping
		// too: what it acknowledged is on its own disk. And a replica that has yet
		// to write down what it was just sent stops too: it will be sent it again.
		"shutdown-on-sigterm now force",
		// A replica's user cannot do anything but replicate.
		"user " + directory.ReplicaUser + " reset on #" + replicaDigest + " +psync +replconf +ping",
	}
}

// Primary is how a replica reaches the engine that it follows.
type Primary struct {
	Address string          // host:port of the gateway for that node
	Secret  identity.Secret // of directory.ReplicaUser; see ReplicaSecret
}

// ReplicaSecret is what replicas log in to this start of the engine with. It is
// ErrDown while the engine is not running.
func (e *Engine) ReplicaSecret() (identity.Secret, error) {
	r, err := e.running()
	if err != nil {
		return identity.Secret{}, err
	}
	return r.replica, nil
}

// Follow makes the engine a replica of primary, known to it and to clients as
// announce (host:port). Its own data is replaced by the primary's.
func (e *Engine) Follow(ctx context.Context, primary Primary, announce string) error {
	host, port, err := net.SplitHostPort(primary.Address)
	if err != nil {
		return fmt.Errorf("following %q: %w", primary.Address, err)
	}
	own, ownPort, err := net.SplitHostPort(announce)
	if err != nil {
		return fmt.Errorf("announcing %q: %w", announce, err)
	}
	return e.order(ctx, "following another engine",
		[]string{
			"CONFIG", "SET", "replica-announce-ip", own, "replica-announce-port", ownPort,
			"masteruser", directory.ReplicaUser, "masterauth", primary.Secret.Reveal(),
		},
		[]string{"REPLICAOF", host, port})
}

// Lead makes the engine a primary, with the data that it has.
func (e *Engine) Lead(ctx context.Context) error {
	return e.order(ctx, "becoming a primary", []string{"REPLICAOF", "NO", "ONE"})
}

// Hold keeps clients from writing for at most so many milliseconds, so that
// replicas can catch up; it ends when the engine becomes a replica.
func (e *Engine) Hold(ctx context.Context, milliseconds int) error {
	return e.order(ctx, "holding writes back", []string{"CLIENT", "PAUSE", strconv.Itoa(milliseconds), "WRITE"})
}

// Release lets clients write again after Hold.
func (e *Engine) Release(ctx context.Context) error {
	return e.order(ctx, "letting clients write", []string{"CLIENT", "UNPAUSE"})
}

// order gives the engine commands, each of which may be given twice.
func (e *Engine) order(ctx context.Context, what string, commands ...[]string) error {
	r, err := e.running()
	if err != nil {
		return err
	}
	for _, command := range commands {
		if _, err := r.orders.do(ctx, command...); err != nil {
			return fmt.Errorf("%s: %s: %w", e.spec.Name, what, err)
		}
	}
	return nil
}

// Role is what an engine is in its cache just now.
type Role struct {
	Primary bool
	// Of a replica: the address it follows, and whether it has all data and is
	// being sent what is new.
	Follows string
	Linked  bool
	Syncing bool // it is being sent all data, and has none of its own
	// Offset is how far its data is in the stream of changes; between replicas
	// of one primary the greater is the newer.
	Offset int64
}

// Role asks the engine what it is.
func (e *Engine) Role(ctx context.Context) (Role, error) {
	info, err := e.Info(ctx, "replication")
	if err != nil {
		return Role{}, err
	}
	role := Role{Primary: info["role"] == "master"}
	field := "master_repl_offset"
	if !role.Primary {
		field = "slave_repl_offset"
		role.Follows = net.JoinHostPort(info["master_host"], info["master_port"])
		role.Linked = info["master_link_status"] == "up"
		role.Syncing = info["master_sync_in_progress"] == "1"
	}
	if role.Offset, err = strconv.ParseInt(info[field], 10, 64); err != nil {
		return Role{}, errors.New("the engine does not tell its replication offset")
	}
	return role, nil
}
