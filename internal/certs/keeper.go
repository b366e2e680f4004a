package certs

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
)

const (
	// renewBefore is how long before its end an issued certificate is replaced.
	renewBefore = 30 * 24 * time.Hour
	// lookEvery bounds how often handshakes look at the files for a change.
	lookEvery = time.Second
)

// Keeper hands out the certificate to show now. Get is a tls.Config's
// GetCertificate; connections that exist keep what they were shown.
type Keeper struct {
	clock   clock.Clock
	renew   func() (*tls.Certificate, error)
	expired func() bool // whether it is time to renew

	mu   sync.Mutex
	cert *tls.Certificate
}

// Issued keeps a certificate of the authority for hosts and renews it in time.
func Issued(a *Authority, hosts []string) (*Keeper, error) {
	k := &Keeper{clock: a.clock}
	k.renew = func() (*tls.Certificate, error) { return a.Issue(hosts) }
	k.expired = func() bool { return k.clock.Now().After(k.cert.Leaf.NotAfter.Add(-renewBefore)) }
	return k, k.load()
}

// Files keeps the certificate of an operator's PEM files and reads them again
// when they change. Files that cannot be read leave the earlier certificate in use.
func Files(certFile, keyFile string, c clock.Clock) (*Keeper, error) {
	var looked, loaded time.Time
	k := &Keeper{clock: c}
	k.renew = func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			return nil, fmt.Errorf("certs: reading %s and %s: %w", certFile, keyFile, err)
		}
		loaded = newest(certFile, keyFile)
		return &pair, nil
	}
	k.expired = func() bool {
		if now := c.Now(); now.Sub(looked) < lookEvery {
			return false
		} else {
			looked = now
		}
		return !newest(certFile, keyFile).Equal(loaded)
	}
	return k, k.load()
}

func newest(files ...string) time.Time {
	var last time.Time
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last
}

func (k *Keeper) load() error {
	cert, err := k.renew()
	if err != nil {
		return err
	}
	k.cert = cert
	return nil
}

// Get returns the certificate to show.
func (k *Keeper) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.expired() {
		_ = k.load() // the earlier certificate goes on until the files are right again
	}
	return k.cert, nil
}
