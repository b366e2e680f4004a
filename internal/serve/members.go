package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/remote"
)

// member is a gateway of another process that has credentials.
type member struct {
	ID string `json:"id"`
	// Host is where it listens for clients; no two gateways have the same.
	Host string `json:"host"`
	// Fingerprint is the SHA-256 of its client certificate, the only one that
	// counts: new credentials make earlier ones worthless.
	Fingerprint string    `json:"fingerprint"`
	Issued      time.Time `json:"issued"`
	// Connected says that it followed when the server last knew. A start waits a
	// lease for such a gateway, which may be admitting clients all the while.
	Connected bool `json:"connected"`
}

// members keeps them in files, one each, of this server's data directory.
type members struct {
	dir string

	mu   sync.Mutex
	byID map[string]member
}

func openMembers(dir string) (*members, error) {
	m := &members{dir: dir, byID: map[string]member{}}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("reading the gateways: %w", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading the gateways: %w", err)
		}
		var one member
		if err := json.Unmarshal(text, &one); err != nil || !remote.ValidID(one.ID) {
			return nil, fmt.Errorf("reading the gateways: %s is not one of ours", file)
		}
		m.byID[one.ID] = one
	}
	return m, nil
}

func (m *members) list() []member {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []member
	for _, one := range m.byID {
		all = append(all, one)
	}
	return all
}

// admit says whose a certificate is.
func (m *members) admit(cert *x509.Certificate) (remote.Member, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	one, known := m.byID[cert.Subject.CommonName]
	if !known || subtle.ConstantTimeCompare([]byte(one.Fingerprint), []byte(fingerprint(cert))) != 1 {
		return remote.Member{ID: cert.Subject.CommonName}, errors.New("these credentials were withdrawn or replaced by newer ones")
	}
	return remote.Member{ID: one.ID, Host: one.Host}, nil
}

func fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:])
}

// put records a gateway under new credentials.
func (m *members) put(one member) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, other := range m.byID {
		if other.ID != one.ID && other.Host == one.Host {
			return identity.Errorf(identity.InvalidParameterValue, "Gateway %s listens at %s already: every gateway needs a host of its own.", other.ID, one.Host)
		}
	}
	return m.write(one)
}

// write replaces a record; m.mu is held.
func (m *members) write(one member) error {
	text, err := json.MarshalIndent(one, "", "  ")
	if err != nil {
		return fmt.Errorf("recording gateway %s: %w", one.ID, err)
	}
	path := filepath.Join(m.dir, one.ID+".json")
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("recording gateway %s: %w", one.ID, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("recording gateway %s: %w", one.ID, err)
	}
	m.byID[one.ID] = one
	return nil
}

// mark records whether a gateway follows.
func (m *members) mark(id string, connected bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	one, known := m.byID[id]
	if !known || one.Connected == connected {
		return nil
	}
	one.Connected = connected
	return m.write(one)
}

// remove withdraws a gateway's credentials.
func (m *members) remove(id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.byID[id]; !known {
		return identity.Errorf(identity.InvalidParameterValue, "There is no gateway %s.", id)
	}
	if err := os.Remove(filepath.Join(m.dir, id+".json")); err != nil {
		return fmt.Errorf("removing gateway %s: %w", id, err)
	}
	delete(m.byID, id)
	return nil
}
