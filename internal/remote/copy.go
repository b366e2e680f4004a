package remote

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Names in a gateway's data directory.
const (
	copyFile     = "directory.sealed"
	instanceFile = "instance"
	lockFile     = "lock"
)

// copyContext is authenticated with the copy, so that a file of another purpose,
// format or gateway does not open.
const copyContext = "gatehouse directory copy 1 "

// snapshot is what a gateway must know to judge without the control plane.
type snapshot struct {
	Contact     time.Time     `json:"contact"` // when the control plane last knew of this gateway
	MaxStale    time.Duration `json:"maxStale"`
	DigestKey   []byte        `json:"digestKey"`
	Certificate []byte        `json:"certificate"` // DER
	Key         []byte        `json:"key"`         // PKCS 8
	Caches      []*wireCache  `json:"caches"`
}

// home is a gateway's data directory, held by this process.
type home struct {
	dir      string
	lock     *os.File
	instance string
	aead     cipher.AEAD
	context  []byte
}

// openHome makes the directory (0700) if it is not there and locks it: the hub
// lets one process act as one data directory.
func openHome(dir string, c *Credentials) (*home, error) {
	block, err := aes.NewCipher(c.seal[:])
	if err != nil {
		return nil, fmt.Errorf("remote: the seal: %w", err)
	}
	h := &home{dir: dir, context: []byte(copyContext + c.ID)}
	if h.aead, err = cipher.NewGCM(block); err != nil {
		return nil, fmt.Errorf("remote: the seal: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("remote: the data directory: %w", err)
	}
	if h.lock, err = os.OpenFile(h.path(lockFile), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, fmt.Errorf("remote: the data directory: %w", err)
	}
	if err := syscall.Flock(int(h.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = h.lock.Close()
		return nil, fmt.Errorf("the data directory %s is in use by another gateway", dir)
	}
	if err := h.name(); err != nil {
		_ = h.lock.Close()
		return nil, err
	}
	return h, nil
}

func (h *home) path(name string) string { return filepath.Join(h.dir, name) }

func (h *home) close() { _ = h.lock.Close() }

// name reads the directory's name, made at the first start.
func (h *home) name() error {
	text, err := os.ReadFile(h.path(instanceFile))
	if h.instance = strings.TrimSpace(string(text)); err == nil && h.instance != "" {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remote: the data directory: %w", err)
	}
	h.instance = rand.Text()
	return h.replace(instanceFile, []byte(h.instance+"\n"))
}

// save seals a snapshot and puts it in place of the earlier one.
func (h *home) save(s *snapshot) error {
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("remote: encoding the copy of the directory: %w", err)
	}
	nonce := make([]byte, h.aead.NonceSize())
	_, _ = rand.Read(nonce) // crypto/rand.Read never fails since Go 1.24
	return h.replace(copyFile, h.aead.Seal(nonce, nonce, text, h.context))
}

// load opens the snapshot; nil without an error if there is none.
func (h *home) load() (*snapshot, error) {
	sealed, err := os.ReadFile(h.path(copyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("remote: the copy of the directory: %w", err)
	}
	if len(sealed) < h.aead.NonceSize() {
		return nil, errors.New("remote: the copy of the directory was cut off")
	}
	nonce, box := sealed[:h.aead.NonceSize()], sealed[h.aead.NonceSize():]
	text, err := h.aead.Open(nil, nonce, box, h.context)
	if err != nil {
		return nil, errors.New("remote: the copy of the directory does not open with these credentials: it was changed, or belongs to others")
	}
	var s snapshot
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, errors.New("remote: the copy of the directory is of another release")
	}
	return &s, nil
}

// forget removes the snapshot.
func (h *home) forget() error {
	if err := os.Remove(h.path(copyFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remote: removing the copy of the directory: %w", err)
	}
	return nil
}

// replace writes a file whole or not at all, readable by its owner only.
func (h *home) replace(name string, text []byte) error {
	temporary := h.path(name + ".new")
	file, err := os.OpenFile(temporary, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("remote: the data directory: %w", err)
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("remote: writing %s: %w", name, err)
	}
	if err := os.Rename(temporary, h.path(name)); err != nil {
		return fmt.Errorf("remote: the data directory: %w", err)
	}
	return nil
}
