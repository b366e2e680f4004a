package remote

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/certs"
)

func TestOnlyAClientCertificateOfTheAuthorityIsLetIn(t *testing.T) {
	p := newPlane(t)
	p.start()
	stranger := newPlane(t)
	serverPair, err := p.authority.Issue([]string{"far"})
	if err != nil {
		t.Fatal(err)
	}
	strangerPair := stranger.credentialsAt(p.address).Pair
	for name, pair := range map[string]*tls.Certificate{
		"none": nil, "of another authority": &strangerPair, "a server's": serverPair,
	} {
		conn, err := p.dial(pair)
		if err != nil {
			continue // TLS 1.3 tells the client with its first read at the latest
		}
		if m, err := converse(conn); err == nil {
			t.Errorf("certificate %s: answered %+v", name, m)
		}
	}
	p.await("the three refusals", func() bool { return len(p.told) == 3 })
	for _, text := range p.told {
		if !strings.HasPrefix(text, " refused: the TLS handshake failed") {
			t.Errorf("told %q", text)
		}
	}
	if gateways, _ := p.hub.Gateways(); len(gateways) != 0 {
		t.Errorf("gateways: %+v", gateways)
	}
}

func (p *plane) credentialsAt(address string) *Credentials {
	p.address = address
	return p.credentials("far")
}

func TestWithdrawnCredentialsAreRefusedWithTheReason(t *testing.T) {
	p := newPlane(t)
	p.start()
	c := p.credentials("far")
	p.mu.Lock()
	p.denied = errWithdrawn
	p.mu.Unlock()
	conn, err := p.dial(&c.Pair)
	if err != nil {
		t.Fatal(err)
	}
	var m toGateway
	if err := readFrame(conn, maxToGateway, &m); err != nil || m.Refused == nil || m.Refused.Reason != "withdrawn" {
		t.Errorf("%+v, %v", m, err)
	}
	p.await("the report", func() bool { return len(p.told) == 1 && p.told[0] == "far refused: withdrawn" })
}

func TestAnotherVersionAndBadManners(t *testing.T) {
	p := newPlane(t)
	p.start()
	c := p.credentials("far")
	for name, first := range map[string]toControl{
		"another version": {Hello: &hello{Version: version + 1, Instance: "i"}},
		"no instance":     {Hello: &hello{Version: version}},
		"no hello":        {Ack: &ack{1}},
	} {
		conn, err := p.dial(&c.Pair)
		if err != nil {
			t.Fatal(err)
		}
		if err := writeFrame(conn, first, maxToControl); err != nil {
			t.Fatal(err)
		}
		var m toGateway
		if err := readFrame(conn, maxToGateway, &m); err == nil && m.Refused == nil {
			t.Errorf("%s: answered %+v", name, m)
		}
	}
	if gateways, _ := p.hub.Gateways(); len(gateways) != 0 {
		t.Errorf("gateways: %+v", gateways)
	}
}

// A stolen gateway has a certificate of the same authority for its own host. It
// must not pass for the control plane, which would be told every digest's key.
func TestAGatewayCannotPassForTheControlPlane(t *testing.T) {
	p := newPlane(t)
	fake, err := p.authority.Issue([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	p.cfg.Cert = fake
	p.start()
	link, err := NewLink(LinkConfig{Credentials: p.credentials("far"), Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer link.home.close()
	defer link.follower.Leave()
	if err := link.connect(t.Context()); err == nil || !strings.Contains(err.Error(), certs.ControlName) {
		t.Errorf("connecting: %v", err)
	}
	key, _, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.authority.IssueServer(certs.ControlName, &key.PublicKey); err == nil {
		t.Error("a gateway can have a certificate in the control plane's name")
	}
}

func TestCredentialFiles(t *testing.T) {
	p := newPlane(t)
	p.address = "127.0.0.1:1"
	c, file := p.credentials("far"), filepath.Join(t.TempDir(), "far.json")
	if err := c.Write(file); err != nil {
		t.Fatal(err)
	}
	if c.Write(file) == nil {
		t.Error("a file that exists was overwritten")
	}
	again, err := ReadCredentials(file)
	if err != nil || again.ID != "far" || again.Address != p.address || again.seal != c.seal {
		t.Errorf("read %+v, %v", again, err)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadCredentials(file); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file that others can read: %v", err)
	}
	for name, change := range map[string]func(*storedCredentials){
		"id":          func(s *storedCredentials) { s.ID = "../x" },
		"address":     func(s *storedCredentials) { s.Address = "nowhere" },
		"authority":   func(s *storedCredentials) { s.CA = "" },
		"key":         func(s *storedCredentials) { s.Key = "" },
		"seal":        func(s *storedCredentials) { s.Seal = s.Seal[1:] },
		"certificate": func(s *storedCredentials) { s.Certificate = string(certificatePEM([]byte("x"))) },
	} {
		stored := c.stored
		change(&stored)
		if _, err := readStored(stored); err == nil {
			t.Errorf("a faulty %s was taken", name)
		}
	}
}

func TestNamesOfGateways(t *testing.T) {
	for id, ok := range map[string]bool{
		"far": true, "g-1": true, "": false, "-a": false, "a-": false, "A": false, "a.b": false, "a/b": false,
		strings.Repeat("a", 63): true, strings.Repeat("a", 64): false,
	} {
		if ValidID(id) != ok {
			t.Errorf("%q: %v", id, !ok)
		}
	}
}
