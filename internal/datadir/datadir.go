// Package datadir is the layout of a server's data directory: where everything
// lies, the master key and what is derived from it, root's credentials, the
// scrape token, and the note by which operator commands find the server.
//
// It owns file names, modes and the lock that keeps a second server out. It
// leaves what is inside the sub-directories to those who are given them.
package datadir

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// Names in the directory.
const (
	lockFile        = "lock"
	masterKeyFile   = "master.key"
	credentialsFile = "root-credentials.json"
	scrapeFile      = "scrape-token"
	serverFile      = "server.json"
)

// keySize is the size of the master key and of every key derived from it.
const keySize = 32

// Dir is a data directory that this process holds.
type Dir struct {
	Path string
	lock *os.File
}

// Open makes the directory (0700) if it is not there and locks it for this
// process. It is an error that another server runs on it.
func Open(path string) (*Dir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if info, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	} else if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("data directory %s can be read by others (mode %v): run chmod 700 on it", path, info.Mode().Perm())
	}
	lock, err := os.OpenFile(filepath.Join(path, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("data directory %s is in use by another server", path)
	}
	return &Dir{Path: path, lock: lock}, nil
}

// Close lets another server use the directory.
func (d *Dir) Close() error { return d.lock.Close() }

// Sub returns the path of a part of the directory, made 0700 if missing.
func (d *Dir) Sub(name string) (string, error) {
	path := filepath.Join(d.Path, name)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", fmt.Errorf("data directory: %w", err)
	}
	return path, nil
}

// Key derives the key for one purpose from the master key, which is made at the
// first start (HKDF-SHA256, RFC 5869).
func (d *Dir) Key(purpose string) ([keySize]byte, error) {
	text, err := d.once(masterKeyFile, func() string { return randomHex(keySize) + "\n" })
	if err != nil {
		return [keySize]byte{}, err
	}
	return derive(text, purpose)
}

// FindKey is Key for a command, beside the server: it makes nothing. Without a
// master key the error is an fs.ErrNotExist.
func FindKey(path, purpose string) ([keySize]byte, error) {
	text, err := os.ReadFile(filepath.Join(path, masterKeyFile))
	if err != nil {
		return [keySize]byte{}, fmt.Errorf("data directory: %w", err)
	}
	return derive(string(text), purpose)
}

func derive(text, purpose string) (key [keySize]byte, err error) {
	master, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(master) != keySize {
		return key, fmt.Errorf("data directory: %s does not hold %d bytes in hex", masterKeyFile, keySize)
	}
	derived, err := hkdf.Key(sha256.New, master, nil, "gatehouse/v1/"+purpose, keySize)
	if err != nil {
		return key, fmt.Errorf("deriving the key for %s: %w", purpose, err)
	}
	copy(key[:], derived)
	return key, nil
}

// ScrapeToken returns the bearer token that /metrics accepts, made at first use.
func (d *Dir) ScrapeToken() (identity.Secret, error) {
	text, err := d.once(scrapeFile, func() string { return rand.Text() + "\n" })
	return identity.NewSecret(strings.TrimSpace(text)), err
}

// once reads a file, or makes it (0600) when it is not there.
func (d *Dir) once(name string, generate func() string) (string, error) {
	path := filepath.Join(d.Path, name)
	text, err := os.ReadFile(path)
	if err == nil {
		return string(text), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("data directory: %w", err)
	}
	fresh := generate()
	return fresh, replace(path, []byte(fresh))
}

// replace writes a file whole or not at all, readable by its owner only.
func replace(path string, text []byte) error {
	temporary := path + ".new"
	file, err := os.OpenFile(temporary, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("data directory: writing %s: %w", filepath.Base(path), err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	return nil
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // crypto/rand.Read never fails since Go 1.24
	return hex.EncodeToString(b)
}

// Credentials are root's access key.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey identity.Secret
}

// storedCredentials is their form on disk, the one place where the secret is in
// clear: it has to be, because SigV4 needs it.
type storedCredentials struct {
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
}

// RootCredentials returns root's credentials, made at the first start.
func (d *Dir) RootCredentials() (Credentials, error) {
	text, err := d.once(credentialsFile, func() string {
		fresh, _ := json.MarshalIndent(storedCredentials{
			AccessKeyID:     "AKIA" + rand.Text()[:16],
			SecretAccessKey: rand.Text() + rand.Text()[:14],
		}, "", "  ") // strings always encode
		return string(fresh) + "\n"
	})
	if err != nil {
		return Credentials{}, err
	}
	return parseCredentials(text)
}

func parseCredentials(text string) (Credentials, error) {
	var stored storedCredentials
	if err := json.Unmarshal([]byte(text), &stored); err != nil || stored.AccessKeyID == "" || stored.SecretAccessKey == "" {
		return Credentials{}, fmt.Errorf("data directory: %s does not hold an access key", credentialsFile)
	}
	return Credentials{stored.AccessKeyID, identity.NewSecret(stored.SecretAccessKey)}, nil
}

// Server is the note that a running server leaves for operator commands.
type Server struct {
	Endpoint  string `json:"endpoint"` // URL of the API
	Region    string `json:"region"`
	AccountID string `json:"accountId"`
	CA        string `json:"ca"` // PEM file that cache endpoints verify against
	TLS       bool   `json:"tls"`
	PID       int    `json:"pid"`
}

// WriteServer leaves the note.
func (d *Dir) WriteServer(s Server) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	return replace(filepath.Join(d.Path, serverFile), append(text, '\n'))
}

// Find reads what a command needs to talk to the server of a data directory,
// which need not run. The error says what to do when there is none.
func Find(path string) (Server, Credentials, error) {
	var server Server
	text, err := os.ReadFile(filepath.Join(path, serverFile))
	if errors.Is(err, fs.ErrNotExist) {
		return server, Credentials{}, fmt.Errorf("no server has been started on %s yet: run `gatehouse serve --data-dir %s`, or name another directory with --data-dir", path, path)
	}
	if err != nil {
		return server, Credentials{}, fmt.Errorf("data directory: %w", err)
	}
	if err := json.Unmarshal(text, &server); err != nil {
		return server, Credentials{}, fmt.Errorf("data directory: %s: %w", serverFile, err)
	}
	secret, err := os.ReadFile(filepath.Join(path, credentialsFile))
	if err != nil {
		return server, Credentials{}, fmt.Errorf("data directory: %w", err)
	}
	credentials, err := parseCredentials(string(secret))
	return server, credentials, err
}
