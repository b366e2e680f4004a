package trail

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
)

// What a record is about.
const (
	APICall       = "api.call"
	LoginAccepted = "login.accepted"
	LoginRefused  = "login.refused"
	LoggedOut     = "session.logout"
	SessionEnded  = "session.revoked"
	TicketIssued  = "ticket.issued"
	ServerStarted = "server.started"
	ServerStopped = "server.stopped"

	GatewayIssued    = "gateway.credentials-issued"
	GatewayRevoked   = "gateway.credentials-revoked"
	GatewayConnected = "gateway.connected"
	GatewayLeft      = "gateway.disconnected"
	GatewayLost      = "gateway.lost"
	GatewayRefused   = "gateway.refused"
	GatewayDropped   = "gateway.events-dropped"

	// Checkpoint signs all records before it.
	Checkpoint = "trail.checkpoint"
)

// Record is one line of the trail. Empty fields are left out.
type Record struct {
	Seq   int64     `json:"seq"`
	Time  time.Time `json:"time"`
	Event string    `json:"event"`
	// Outcome is "ok", "refused", or the API's error code.
	Outcome string `json:"outcome"`
	Reason  string `json:"reason,omitempty"`
	Source  string `json:"source,omitempty"` // the peer's address

	// Of an API call.
	Principal   string         `json:"principal,omitempty"` // ARN
	AccessKeyID string         `json:"accessKeyId,omitempty"`
	Service     string         `json:"service,omitempty"`
	Action      string         `json:"action,omitempty"`
	RequestID   string         `json:"requestId,omitempty"`
	UserAgent   string         `json:"userAgent,omitempty"`
	Parameters  map[string]any `json:"parameters,omitempty"` // secrets redacted
	Response    map[string]any `json:"response,omitempty"`   // likewise; none of what only reads
	EventSource string         `json:"eventSource,omitempty"`
	PrincipalID string         `json:"principalId,omitempty"`
	Role        string         `json:"role,omitempty"` // ARN of the role that Principal is a session of
	ReadOnly    bool           `json:"readOnly,omitempty"`
	// Count is how many calls a record stands for that sums up; see AppendSeldom.
	Count int `json:"count,omitempty"`

	// Of a login or session.
	Cache  string `json:"cache,omitempty"`
	Node   string `json:"node,omitempty"`
	User   string `json:"user,omitempty"`
	Method string `json:"method,omitempty"`
	// Gateway is the one that saw the login, or that the record is about.
	Gateway string `json:"gateway,omitempty"`

	// Signature is a checkpoint's: an HMAC of Seq, Time and Prev.
	Signature string `json:"signature,omitempty"`
	// Prev is the SHA-256 of the line before, as it stands in the file.
	Prev string `json:"prev"`
}

const (
	current  = "trail.jsonl"
	archived = "trail-%012d.jsonl" // by the first sequence number inside
	// maxFile is when a file is put aside: small enough to read whole.
	maxFile = 64 << 20
	// maxLine bounds a line when reading; parameters are bounded by the API.
	maxLine = 4 << 20
	// flushEvery is how long a record may stay in memory. A crash of the
	// machine may lose that much of the end; a crash of the program too.
	flushEvery = 100 * time.Millisecond
)

// genesis is the Prev of the first line.
var genesis = hex.EncodeToString(make([]byte, sha256.Size))

// Trail appends records to files in one directory.
type Trail struct {
	dir     string
	clock   clock.Clock
	options Options

	mu    sync.Mutex
	file  *os.File
	out   *bufio.Writer
	size  int64
	first int64 // sequence number that the current file begins with
	seq   int64
	prev  string
	err   error // the first failure to write; nothing is appended after it
	// unsigned is how many records have followed the last checkpoint.
	unsigned int64
	seldom   map[string]map[string]*summed // by class and key

	stop chan struct{}
	done chan struct{}
}

// Options are what a trail is kept by.
type Options struct {
	// Key signs checkpoints.
	Key [32]byte
	// Keep is how long a full file is kept after its last record; 0: for ever.
	Keep time.Duration
}

// Open continues the trail in dir, or begins one. A last line that a crash cut
// off is completed as a broken line and noted, never removed.
func Open(dir string, c clock.Clock, o Options) (*Trail, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("trail: %w", err)
	}
	t := &Trail{dir: dir, clock: c, options: o, prev: genesis, seldom: map[string]map[string]*summed{}, stop: make(chan struct{}), done: make(chan struct{})}
	if err := t.resume(); err != nil {
		return nil, err
	}
	if err := t.prune(); err != nil {
		return nil, errors.Join(err, t.file.Close())
	}
	go t.flusher()
	return t, nil
}

func (t *Trail) resume() error {
	path := filepath.Join(t.dir, current)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("trail: %w", err)
	}
	t.file, t.out = file, bufio.NewWriterSize(file, 64<<10)
	files, err := Files(t.dir)
	if err != nil {
		return err
	}
	for i, path := range files {
		last, size, err := scan(path, func(line []byte) error {
			var r Record
			if json.Unmarshal(line, &r) == nil && r.Seq > 0 {
				t.seq = r.Seq
				t.unsigned++
				if r.Event == Checkpoint {
					t.unsigned = 0
				}
				if t.first == 0 && i == len(files)-1 {
					t.first = r.Seq
				}
			}
			t.prev = hashOf(line)
			return nil
		})
		if err != nil {
			return err
		}
		if i < len(files)-1 {
			continue
		}
		t.size = size
		if !last { // the end of the last line is missing
			if _, err := file.WriteString("\n"); err != nil {
				return fmt.Errorf("trail: %w", err)
			}
			t.size++
		}
	}
	return nil
}

// Append adds r; Seq, Time (if zero) and Prev are filled in. Failures to write
// are kept and returned by Err, so that logins do not stop for a full disk
// unnoticed: the server's readiness shows it.
func (t *Trail) Append(r Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return
	}
	t.err = t.append(r)
}

func (t *Trail) append(r Record) error {
	if t.size > maxFile {
		if err := t.rotate(); err != nil {
			return err
		}
	}
	if err := t.write(r); err != nil {
		return err
	}
	if t.unsigned < checkpointEvery {
		return nil
	}
	return t.checkpoint()
}

func (t *Trail) write(r Record) error {
	if r.Time.IsZero() {
		r.Time = t.clock.Now().UTC()
	}
	r.Seq, r.Prev = t.seq+1, t.prev
	t.unsigned++
	if r.Event == Checkpoint {
		r.Signature = r.sign(&t.options.Key)
		t.unsigned = 0
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("trail: encoding a record: %w", err)
	}
	if _, err := t.out.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("trail: writing: %w", err)
	}
	t.seq, t.prev, t.size = r.Seq, hashOf(line), t.size+int64(len(line))+1
	if t.first == 0 {
		t.first = r.Seq
	}
	return nil
}

func (t *Trail) rotate() error {
	if err := t.flush(); err != nil {
		return err
	}
	if err := t.file.Close(); err != nil {
		return fmt.Errorf("trail: closing a full file: %w", err)
	}
	path := filepath.Join(t.dir, current)
	if err := os.Rename(path, filepath.Join(t.dir, fmt.Sprintf(archived, t.first))); err != nil {
		return fmt.Errorf("trail: putting a full file aside: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("trail: beginning a file: %w", err)
	}
	t.file, t.size, t.first = file, 0, 0
	t.out.Reset(file)
	if err := t.prune(); err != nil {
		return err
	}
	return t.checkpoint() // so that the file can be checked without those before it
}

func (t *Trail) flush() error {
	if err := t.out.Flush(); err != nil {
		return fmt.Errorf("trail: writing: %w", err)
	}
	return nil
}

// Flush makes what was appended visible to readers of the files.
func (t *Trail) Flush() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = t.flush()
	}
	return t.err
}

// Err returns the failure that ended the trail, if any.
func (t *Trail) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

func (t *Trail) flusher() {
	defer close(t.done)
	for {
		select {
		case <-time.After(flushEvery):
			t.sumUp(false)
			_ = t.Flush() // kept in Err
		case <-t.stop:
			return
		}
	}
}

// Close writes what is left to disk and ends the trail.
func (t *Trail) Close() error {
	close(t.stop)
	<-t.done
	t.sumUp(true)
	t.mu.Lock()
	if t.err == nil && t.unsigned > 0 {
		t.err = t.checkpoint()
	}
	t.mu.Unlock()
	err := t.Flush()
	t.mu.Lock()
	defer t.mu.Unlock()
	return errors.Join(err, t.file.Sync(), t.file.Close())
}

func hashOf(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}

// Files returns the trail's files in dir, oldest first.
func Files(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "trail-*.jsonl"))
	if err != nil {
		return nil, fmt.Errorf("trail: %w", err)
	}
	return append(files, filepath.Join(dir, current)), nil
}

// scan calls visit with every line of a file, without its newline. It reports
// whether the last line was complete, and the file's size.
func scan(path string, visit func(line []byte) error) (complete bool, size int64, err error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return true, 0, nil
	}
	if err != nil {
		return false, 0, fmt.Errorf("trail: %w", err)
	}
	defer func() { _ = file.Close() }()
	reader := bufio.NewReaderSize(io.LimitReader(file, maxFile+2*maxLine), 64<<10)
	complete = true
	for {
		line, err := reader.ReadBytes('\n')
		size += int64(len(line))
		if len(line) > 0 {
			complete = line[len(line)-1] == '\n'
			if err := visit(bytes.TrimSuffix(line, []byte{'\n'})); err != nil {
				return complete, size, err
			}
		}
		if errors.Is(err, io.EOF) {
			return complete, size, nil
		}
		if err != nil {
			return complete, size, fmt.Errorf("trail: reading %s: %w", path, err)
		}
	}
}
