package engine

import (
	"fmt"
	"os"
	"strings"
	"sync"
)

const (
	// maxLog bounds the log of an engine; one older file of this size is kept.
	maxLog = 1 << 20
	// tailLines are repeated in the error about an engine that ended.
	tailLines = 12
)

// logFile keeps the engine's own log within bounds. A disk that is full must
// not stop the engine, so errors of writing are ignored.
type logFile struct {
	path string
	mu   sync.Mutex
	file *os.File
	size int64
	last []string
}

func openLog(path string) (*logFile, error) {
	l := &logFile{path: path}
	if err := l.open(); err != nil {
		return nil, fmt.Errorf("opening the engine's log: %w", err)
	}
	return l, nil
}

func (l *logFile) open() error {
	file, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return err
	}
	l.file, l.size = file, info.Size()
	return nil
}

func (l *logFile) write(line []byte) {
	if len(line) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = append(l.last, strings.TrimRight(string(line), "\n"))
	if len(l.last) > tailLines {
		l.last = l.last[1:]
	}
	if l.file == nil {
		return
	}
	if l.size += int64(len(line)); l.size > maxLog {
		l.rotate()
	}
	if l.file != nil {
		_, _ = l.file.Write(line)
	}
}

func (l *logFile) rotate() {
	_ = l.file.Close()
	l.file = nil
	_ = os.Rename(l.path, l.path+".1")
	_ = l.open() // without a file the log is kept in memory alone
}

func (l *logFile) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.last, "\n")
}

func (l *logFile) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}
