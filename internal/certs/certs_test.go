package certs_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/certs"
	"github.com/gatehouse/gatehouse/internal/clock"
)

func authority(t *testing.T, dir string, c clock.Clock) *certs.Authority {
	t.Helper()
	a, err := certs.OpenAuthority(dir, c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func shown(t *testing.T, k *certs.Keeper) *x509.Certificate {
	t.Helper()
	cert, err := k.Get(nil)
	if err != nil {
		t.Fatal(err)
	}
	return cert.Leaf
}

func TestAuthorityIsMadeOnceAndPrivate(t *testing.T) {
	dir := t.TempDir()
	first := authority(t, dir, clock.Real)
	again := authority(t, dir, clock.Real)
	if !first.Pool().Equal(again.Pool()) {
		t.Error("a second start made another authority")
	}
	info, err := os.Stat(filepath.Join(dir, "ca-key.pem"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the authority's key has mode %v (%v), want 0600", info.Mode(), err)
	}
}

func TestIssuedVerifiesForItsHostsOnly(t *testing.T) {
	a := authority(t, t.TempDir(), clock.Real)
	keeper, err := certs.Issued(a, []string{"localhost", "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	for host, ok := range map[string]bool{"localhost": true, "127.0.0.1": true, "example.com": false} {
		_, err := shown(t, keeper).Verify(x509.VerifyOptions{DNSName: host, Roots: a.Pool()})
		if (err == nil) != ok {
			t.Errorf("verifying for %s: %v", host, err)
		}
	}
}

func TestIssuedIsRenewedBeforeItEnds(t *testing.T) {
	now := clock.NewFake(time.Now())
	a := authority(t, t.TempDir(), now)
	keeper, err := certs.Issued(a, []string{"localhost"})
	if err != nil {
		t.Fatal(err)
	}
	first := shown(t, keeper)
	now.Advance(time.Until(first.NotAfter) - 40*24*time.Hour)
	if !shown(t, keeper).Equal(first) {
		t.Error("renewed forty days before the end")
	}
	now.Advance(20 * 24 * time.Hour)
	if shown(t, keeper).Equal(first) {
		t.Error("not renewed twenty days before the end")
	}
}

func writePair(t *testing.T, dir string, cert *tls.Certificate) (certFile, keyFile string) {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: cert.Certificate[0]},
		keyFile:  {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func TestFilesAreReloaded(t *testing.T) {
	now := clock.NewFake(time.Now())
	a, dir := authority(t, t.TempDir(), now), t.TempDir()
	issue := func() *tls.Certificate {
		cert, err := a.Issue([]string{"localhost"})
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	first := issue()
	certFile, keyFile := writePair(t, dir, first)
	keeper, err := certs.Files(certFile, keyFile, now)
	if err != nil {
		t.Fatal(err)
	}
	second := issue()
	writePair(t, dir, second)
	touch(t, certFile, time.Hour)
	now.Advance(2 * time.Second)
	if !shown(t, keeper).Equal(second.Leaf) {
		t.Error("the new files are not shown")
	}
	if err := os.WriteFile(keyFile, []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	touch(t, keyFile, 2*time.Hour)
	now.Advance(2 * time.Second)
	if !shown(t, keeper).Equal(second.Leaf) {
		t.Error("files that cannot be read took the certificate away")
	}
	if _, err := certs.Files(certFile, keyFile, now); err == nil {
		t.Error("a keeper began with files that cannot be read")
	}
}

func touch(t *testing.T, file string, ahead time.Duration) {
	t.Helper()
	at := time.Now().Add(ahead)
	if err := os.Chtimes(file, at, at); err != nil {
		t.Fatal(err)
	}
}
