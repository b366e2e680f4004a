package datadir_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/datadir"
)

func open(t *testing.T, path string) *datadir.Dir {
	t.Helper()
	d, err := datadir.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestOneServerAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	first := open(t, path)
	if _, err := datadir.Open(path); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second server: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := open(t, path)
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOthersMayNotRead(t *testing.T) {
	path := t.TempDir()
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := datadir.Open(path); err == nil || !strings.Contains(err.Error(), "chmod 700") {
		t.Errorf("a directory that others can read: %v", err)
	}
}

func TestSecretsAreMadeOnceAndPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	read := func() (string, [32]byte, [32]byte, string) {
		d := open(t, path)
		defer func() { _ = d.Close() }()
		credentials, err := d.RootCredentials()
		if err != nil {
			t.Fatal(err)
		}
		one, err := d.Key("digests")
		if err != nil {
			t.Fatal(err)
		}
		two, err := d.Key("snapshots")
		if err != nil {
			t.Fatal(err)
		}
		token, err := d.ScrapeToken()
		if err != nil {
			t.Fatal(err)
		}
		return credentials.AccessKeyID + credentials.SecretAccessKey.Reveal(), one, two, token.Reveal()
	}
	credentials, one, two, token := read()
	again, oneAgain, twoAgain, tokenAgain := read()
	if credentials != again || one != oneAgain || two != twoAgain || token != tokenAgain {
		t.Error("a second start made other secrets")
	}
	if one == two {
		t.Error("two purposes have one key")
	}
	if len(credentials) != 20+40 || len(token) < 20 {
		t.Errorf("credentials of %d characters, token of %d", len(credentials), len(token))
	}
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) < 3 {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v (%v), want 0600", entry.Name(), info.Mode().Perm(), err)
		}
	}
}

func TestFind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	if _, _, err := datadir.Find(path); err == nil || !strings.Contains(err.Error(), "gatehouse serve") {
		t.Errorf("where no server ever was: %v", err)
	}
	d := open(t, path)
	defer func() { _ = d.Close() }()
	want, err := d.RootCredentials()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.WriteServer(datadir.Server{Endpoint: "http://127.0.0.1:1", Region: "us-east-1"}); err != nil {
		t.Fatal(err)
	}
	server, credentials, err := datadir.Find(path)
	if err != nil || server.Endpoint != "http://127.0.0.1:1" || credentials.AccessKeyID != want.AccessKeyID || !credentials.SecretAccessKey.Equal(want.SecretAccessKey) {
		t.Errorf("Find: %+v %v", server, err)
	}
}
