package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Files in the directory of a node, beside the engine's own.
const (
	socketName     = "gateway"
	logName        = "engine.log"
	stateName      = "engine.json"
	engineLock     = "engine.lock"     // held by the engine and its children
	supervisorLock = "supervisor.lock" // held by the supervisor, and not by the engine
)

// maxSocketPath is the longest path of a unix socket on every system: macOS
// has room for 104 bytes with the final zero, Linux for 108.
const maxSocketPath = 103

// home is the directory of a node, held by this supervisor.
type home struct {
	dir    string
	socket string // absolute path that clients connect to
	held   *os.File
	link   string        // short path to dir, "" if not needed
	stop   time.Duration // patience with an engine that shall end
}

// state is what a later supervisor must know to stop the engine.
type state struct {
	PID  int    `json:"pid"`
	Born string `json:"born"` // tells the process from a later one of the same number
}

// openHome makes the directory if need be, and takes it over.
func openHome(dir string, options Options) (*home, error) {
	if err := makePrivate(dir); err != nil {
		return nil, err
	}
	held, err := lock(filepath.Join(dir, supervisorLock))
	if err != nil {
		return nil, err
	}
	if held == nil {
		return nil, fmt.Errorf("another Gatehouse is using %s", dir)
	}
	h := &home{dir: dir, held: held, socket: filepath.Join(dir, socketName), stop: options.patience.stop}
	if len(h.socket) > maxSocketPath {
		if err := h.shorten(options.Runtime); err != nil {
			_ = held.Close()
			return nil, err
		}
	}
	return h, nil
}

// close gives the directory up.
func (h *home) close() {
	if h.link != "" {
		_ = os.Remove(h.link)
	}
	_ = h.held.Close() // and with it the lock
}

// shorten makes a link to the directory, at a path that is short enough.
func (h *home) shorten(runtime string) error {
	if err := makePrivate(runtime); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(h.dir))
	link := filepath.Join(runtime, hex.EncodeToString(sum[:8]))
	h.socket = filepath.Join(link, socketName)
	if len(h.socket) > maxSocketPath {
		return fmt.Errorf("the socket's path %s has more than %d bytes; set a shorter directory for temporary files", h.socket, maxSocketPath)
	}
	if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("replacing the short path of %s: %w", h.dir, err)
	}
	if err := os.Symlink(h.dir, link); err != nil {
		return fmt.Errorf("making a short path for %s: %w", h.dir, err)
	}
	h.link = link
	return nil
}

// repair makes the short path anew if somebody cleaned up temporary files.
func (h *home) repair() {
	if h.link == "" {
		return
	}
	if _, err := os.Lstat(h.link); err != nil {
		_ = h.shorten(filepath.Dir(h.link)) // tried again at the next sign of life
	}
}

// makePrivate makes dir unless it is there, and checks that nobody else can use it.
func makePrivate(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the directory of an engine: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("checking the directory of an engine: %w", err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(stat.Uid) != os.Getuid() {
		return fmt.Errorf("%s is not a directory of the user that runs Gatehouse", dir)
	}
	if info.Mode().Perm() != 0o700 {
		if err := os.Chmod(dir, 0o700); err != nil {
			return fmt.Errorf("making the directory of an engine private: %w", err)
		}
	}
	return nil
}

// claim returns the engine's lock, for the engine to inherit. An engine that
// holds it was left behind by a supervisor that died; it is stopped.
func (h *home) claim(ctx context.Context) (*os.File, error) {
	path := filepath.Join(h.dir, engineLock)
	file, err := lock(path)
	if file != nil || err != nil {
		return file, err
	}
	return h.evict(ctx, path)
}

// evict ends the engine of the state file: first politely, so that its data is
// on disk. It signals only a process that is certainly that engine.
func (h *home) evict(ctx context.Context, path string) (*os.File, error) {
	var left state
	if text, err := os.ReadFile(filepath.Join(h.dir, stateName)); err == nil {
		_ = json.Unmarshal(text, &left) // a broken file names no process
	}
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if left.PID > 1 && left.Born != "" && born(left.PID) == left.Born {
			// The engine leads a process group of its own, with its children.
			_ = syscall.Kill(-left.PID, signal)
		}
		file, err := awaitLock(ctx, path, h.stop)
		if file != nil || err != nil {
			return file, err
		}
	}
	return nil, fmt.Errorf("%s is still held by a process of an earlier engine", path)
}

// awaitLock waits until the lock is free, at most for patience; then it returns
// no file and no error.
func awaitLock(ctx context.Context, path string, patience time.Duration) (*os.File, error) {
	over := time.NewTimer(patience)
	defer over.Stop()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		file, err := lock(path)
		if file != nil || err != nil {
			return file, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-over.C:
			return nil, nil
		case <-again.C:
		}
	}
}

// lock opens and locks a file. If another process holds it, there is no file
// and no error.
func lock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening a lock: %w", err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return file, nil
	}
	_ = file.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, nil
	}
	return nil, fmt.Errorf("locking %s: %w", path, err)
}

// record writes down which process the engine is.
func (h *home) record(pid int) error {
	text, err := json.Marshal(state{PID: pid, Born: born(pid)})
	if err != nil {
		return fmt.Errorf("recording the engine's process: %w", err)
	}
	path := filepath.Join(h.dir, stateName)
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return fmt.Errorf("recording the engine's process: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("recording the engine's process: %w", err)
	}
	return nil
}

// deleteHome removes a node's directory. One that never was a node's is refused.
func deleteHome(ctx context.Context, dir string, options Options) error {
	if _, err := os.Lstat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if _, err := os.Lstat(filepath.Join(dir, supervisorLock)); err != nil {
		return fmt.Errorf("%s is not the directory of an engine: %w", dir, err)
	}
	h, err := openHome(dir, options)
	if err != nil {
		return err
	}
	defer h.close()
	lock, err := h.claim(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("removing the data: %w", err)
	}
	return nil
}
