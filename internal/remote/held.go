package remote

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/internal/directory"
)

// held is what a Link knows, from the control plane or from the sealed copy.
type held struct {
	mu        sync.Mutex
	digestKey []byte
	cert      *tls.Certificate
	maxStale  time.Duration
	contact   time.Time
	caches    map[string]*directory.Cache // as they are when the link is not shut
	known     bool                        // caches were received or restored
	complete  bool                        // by a full update on the present connection
	shut      bool                        // contact was too long ago
	reporter  Reporter
}

// age is how long ago t was, by the monotonic clock or, if the machine slept
// meanwhile, by the wall clock.
func age(now, t time.Time) time.Duration {
	return max(now.Sub(t), now.Round(0).Sub(t.Round(0)))
}

// meet takes what the control plane says first. Contact counts from when hello
// was sent, so that this side never admits for longer than the other expects.
func (l *Link) meet(w *welcome, sent time.Time) error {
	if len(w.DigestKey) != 32 || w.MaxStale <= 0 {
		return fmt.Errorf("%w: a welcome without a key", errFrame)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.digestKey != nil && !bytes.Equal(l.digestKey, w.DigestKey) {
		return ErrKeyChanged
	}
	l.digestKey = w.DigestKey
	l.maxStale = min(l.cfg.MaxStale, w.MaxStale)
	l.complete = false
	l.touch(sent)
	return nil
}

// touch notes contact; l.mu is held. Caches that were shut open with the next
// update, or now if the connection has held all the time.
func (l *Link) touch(sent time.Time) {
	if sent.After(l.contact) {
		l.contact = sent
	}
	if l.shut && l.complete && age(l.cfg.Clock.Now(), l.contact) < l.maxStale {
		l.shut = false
		l.hub.Publish(slices.Collect(maps.Values(l.caches)))
	}
	poke(l.touched)
}

func (l *Link) noteContact(sent time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.touch(sent)
}

// apply puts an update into force and returns this process's revision of it.
func (l *Link) apply(caches []*directory.Cache, c *commit) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	gone := c.Gone
	if c.Full {
		received := map[string]bool{}
		for _, cache := range caches {
			received[cache.ID] = true
		}
		for id := range l.caches {
			if !received[id] {
				gone = append(gone, id)
			}
		}
		l.complete = true
	}
	for _, id := range gone {
		delete(l.caches, id)
	}
	for _, cache := range caches {
		l.caches[cache.ID] = cache
	}
	if c.Full {
		l.shut = false
	}
	l.known = true
	l.checkReady()
	poke(l.changed)
	return l.hub.Publish(caches, gone...)
}

// checkReady lets the gateway start; l.mu is held.
func (l *Link) checkReady() {
	if l.digestKey == nil || l.cert == nil || !l.known {
		return
	}
	select {
	case <-l.ready:
	default:
		close(l.ready)
	}
}

// certified takes the certificate for this gateway's listeners.
func (l *Link) certified(der []byte) error {
	cert, err := pair(der, l.key)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cert = cert
	l.checkReady()
	poke(l.changed)
	return nil
}

func pair(der []byte, key *ecdsa.PrivateKey) (*tls.Certificate, error) {
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("remote: reading the certificate for this gateway: %w", err)
	}
	if !key.PublicKey.Equal(leaf.PublicKey) {
		return nil, errors.New("remote: the certificate for this gateway is for another key")
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// Certificate is the tls.Config.GetCertificate of the gateway's listeners.
func (l *Link) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cert == nil {
		return nil, errors.New("remote: there is no certificate yet")
	}
	return l.cert, nil
}

// certificateEnds is when the listeners' certificate ends; the zero time if
// there is none.
func (l *Link) certificateEnds() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cert == nil {
		return time.Time{}
	}
	return l.cert.Leaf.NotAfter
}

// shutIfStale shuts the caches if contact was too long ago, and returns when to
// look again.
func (l *Link) shutIfStale() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := l.maxStale - age(l.cfg.Clock.Now(), l.contact)
	if !l.known || l.shut || left > 0 {
		if left <= 0 {
			return l.maxStale
		}
		return left
	}
	l.shut = true
	l.hub.Publish(l.shutCaches())
	l.cfg.Log.Error("without contact to the control plane for too long: new logins are refused, sessions go on",
		"max-stale", l.maxStale, "contact", l.contact)
	return l.maxStale
}

func (l *Link) shutCaches() []*directory.Cache {
	closed := make([]*directory.Cache, 0, len(l.caches))
	for _, c := range l.caches {
		closed = append(closed, shut(c))
	}
	return closed
}

func (l *Link) isShut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shut
}

func (l *Link) staleAfter() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.maxStale
}

func (l *Link) lastContact() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.contact
}

// save writes the copy, if there is something to write.
func (l *Link) save() error {
	l.mu.Lock()
	if l.digestKey == nil || l.cert == nil || !l.known {
		l.mu.Unlock()
		return nil
	}
	key, err := x509.MarshalPKCS8PrivateKey(l.cert.PrivateKey)
	if err != nil {
		l.mu.Unlock()
		return fmt.Errorf("remote: encoding the listeners' key: %w", err)
	}
	s := &snapshot{
		Contact: l.contact, MaxStale: l.maxStale, DigestKey: l.digestKey,
		Certificate: l.cert.Certificate[0], Key: key,
	}
	for _, c := range l.caches {
		w := toWire(c)
		w.Tickets = nil // which of them were used is not kept
		s.Caches = append(s.Caches, w)
	}
	l.mu.Unlock()
	return l.home.save(s)
}

// restore takes the copy for what was received, unless something was.
func (l *Link) restore() (bool, error) {
	s, err := l.home.load()
	if s == nil || err != nil {
		return false, err
	}
	secret, err := x509.ParsePKCS8PrivateKey(s.Key)
	key, isECDSA := secret.(*ecdsa.PrivateKey)
	if err != nil || !isECDSA || len(s.DigestKey) != 32 || s.MaxStale <= 0 {
		return false, errors.New("remote: the copy of the directory is of another release")
	}
	cert, err := pair(s.Certificate, key)
	if err != nil {
		return false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known {
		return false, nil
	}
	if l.digestKey == nil {
		l.digestKey, l.maxStale = s.DigestKey, min(l.cfg.MaxStale, s.MaxStale)
	}
	if l.cert == nil {
		l.cert = cert
	}
	// A copy from the future comes from a clock that was wrong.
	if now := l.cfg.Clock.Now(); s.Contact.After(l.contact) && !s.Contact.After(now) {
		l.contact = s.Contact
	}
	for _, w := range s.Caches {
		c := w.cache()
		l.caches[c.ID] = c
	}
	l.known = true
	l.shut = age(l.cfg.Clock.Now(), l.contact) >= l.maxStale
	if l.shut {
		l.hub.Publish(l.shutCaches())
	} else {
		l.hub.Publish(slices.Collect(maps.Values(l.caches)))
	}
	l.checkReady()
	poke(l.touched)
	return true, nil
}
