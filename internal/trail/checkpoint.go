package trail

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// checkpointEvery is how many records may follow a checkpoint before the next:
// few enough that what a thief of the files could rewrite is little.
const checkpointEvery = 1000

// sign is a checkpoint's signature. Prev vouches for everything before it.
func (r *Record) sign(key *[32]byte) string {
	h := hmac.New(sha256.New, key[:])
	fmt.Fprintf(h, "gatehouse trail checkpoint\n%d\n%s\n%s", r.Seq, r.Time.UTC().Format(time.RFC3339Nano), r.Prev)
	return hex.EncodeToString(h.Sum(nil))
}

func (t *Trail) checkpoint() error { return t.write(Record{Event: Checkpoint, Outcome: "ok"}) }

// prune removes full files whose last record is older than is to be kept.
func (t *Trail) prune() error {
	if t.options.Keep <= 0 {
		return nil
	}
	files, err := Files(t.dir)
	if err != nil {
		return err
	}
	oldest := t.clock.Now().Add(-t.options.Keep)
	for _, path := range files[:len(files)-1] { // the last is being written
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("trail: %w", err)
		}
		if info.ModTime().After(oldest) {
			return nil
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("trail: removing what need not be kept: %w", err)
		}
	}
	return nil
}

// Check is what a trail is checked against, beside its own chain.
type Check struct {
	// Expect is a hash that was kept elsewhere and must be among the chain's; it
	// shows that the end was not cut off.
	Expect string
	// Key checks the checkpoints' signatures; nil: they are not checked.
	Key *[32]byte
}

// Checked is what Verify found.
type Checked struct {
	First  int64  // sequence number of the first record that is there
	Last   int64  // of the last; 0: there is none
	Signed int64  // of the last checkpoint whose signature is right
	Head   string // hash of the last line
}

// Verify checks the chain of all files in dir, and its checkpoints. The error
// names the first record at which it is broken.
func Verify(dir string, check Check) (Checked, error) {
	files, err := Files(dir)
	if err != nil {
		return Checked{}, err
	}
	v := verifier{check: check, Checked: Checked{Head: genesis}, seen: check.Expect == "" || check.Expect == genesis}
	for _, path := range files {
		v.path = path
		if _, _, err := scan(path, v.line); err != nil {
			return v.Checked, err
		}
	}
	if !v.seen {
		return v.Checked, fmt.Errorf("trail: no record has the hash %s: the end was cut off, or the hash is of another trail", check.Expect)
	}
	return v.Checked, nil
}

type verifier struct {
	Checked
	check    Check
	path     string
	seen     bool
	unsigned int64
}

func (v *verifier) line(line []byte) error {
	var r Record
	if json.Unmarshal(line, &r) != nil {
		v.Head = hashOf(line) // cut off by a crash; the next line continues from it
		return nil
	}
	fault := func(format string, args ...any) error {
		return fmt.Errorf("trail: %s: record %d %s", v.path, r.Seq, fmt.Sprintf(format, args...))
	}
	begins := v.Last == 0 && r.Seq > 1 && r.Event == Checkpoint // older files were not to be kept
	switch {
	case begins:
		v.First = r.Seq
	case r.Prev != v.Head:
		return fault("does not follow the one before it")
	case r.Seq != v.Last+1:
		return fault("stands where %d is due", v.Last+1)
	case v.Last == 0:
		v.First = r.Seq
	}
	v.Last, v.Head = r.Seq, hashOf(line)
	v.seen = v.seen || v.Head == v.check.Expect
	return v.signed(&r, fault)
}

// signed checks a checkpoint, and that there are enough of them.
func (v *verifier) signed(r *Record, fault func(string, ...any) error) error {
	if v.check.Key == nil {
		return nil
	}
	if r.Event != Checkpoint {
		if v.unsigned++; v.unsigned > checkpointEvery {
			return fault("is the %dth without a checkpoint", v.unsigned)
		}
		return nil
	}
	if !hmac.Equal([]byte(r.Signature), []byte(r.sign(v.check.Key))) {
		return fault("is a checkpoint whose signature is wrong: it was not written by this server")
	}
	v.Signed, v.unsigned = r.Seq, 0
	return nil
}
