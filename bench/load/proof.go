package load

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Counters are what the engine has counted since it started.
type Counters struct {
	Calls  map[string]int // by command, in lower case
	Failed map[string]int // calls that were refused or failed
	Hits   int            // keys that were found
	Misses int            // keys that were not
}

// Count asks the engine behind a server, through whatever is in front of it.
func Count(ctx context.Context, s Server) (Counters, error) {
	counted := Counters{Calls: map[string]int{}, Failed: map[string]int{}}
	c, err := login(ctx, s, nil)
	if err != nil {
		return counted, fmt.Errorf("asking for the engine's counters: %w", err)
	}
	defer func() { _ = c.Close() }()
	for _, section := range []string{"commandstats", "stats"} {
		text, err := c.do("INFO", section)
		if err != nil {
			return counted, fmt.Errorf("asking for the engine's counters: %w", err)
		}
		counted.read(text)
	}
	return counted, nil
}

func (c *Counters) read(info string) {
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if command, ok := strings.CutPrefix(name, "cmdstat_"); ok {
			c.Calls[command] = number(value, "calls=")
			c.Failed[command] = number(value, "rejected_calls=") + number(value, "failed_calls=")
			continue
		}
		switch name {
		case "keyspace_hits":
			c.Hits = number(value, "")
		case "keyspace_misses":
			c.Misses = number(value, "")
		}
	}
}

// logins counts AUTH, and HELLO, with which a gateway may log in. Both kinds of
// server refuse everything else before (CheckLogin).
func (c *Counters) logins() int { return c.Calls["auth"] + c.Calls["hello"] }

// number reads the field that begins with prefix of a list with commas.
func number(list, prefix string) int {
	for field := range strings.SplitSeq(list, ",") {
		if text, ok := strings.CutPrefix(field, prefix); ok {
			n, _ := strconv.Atoi(text) // the engine writes numbers
			return n
		}
	}
	return 0
}

// Claim is what a run says that it did.
type Claim struct {
	Command  string // in lower case
	Requests int    // of that command that were answered
	Logins   int    // at least
	Reads    bool   // it reads keys, and all of them exist
}

// Prove compares a claim with what the engine counted over the run.
func (c Claim) Prove(before, after Counters) error {
	calls := after.Calls[c.Command] - before.Calls[c.Command]
	failed := after.Failed[c.Command] - before.Failed[c.Command]
	logins := after.logins() - before.logins()
	switch {
	case c.Command != "" && calls != c.Requests:
		return fmt.Errorf("the client claims %d %s and the engine served %d", c.Requests, c.Command, calls)
	case failed != 0:
		return fmt.Errorf("%d of %d %s were refused or failed", failed, c.Requests, c.Command)
	case logins < c.Logins:
		return fmt.Errorf("the client claims %d logins and the engine saw %d", c.Logins, logins)
	case c.Reads && after.Misses != before.Misses:
		return fmt.Errorf("%d of %d keys did not exist", after.Misses-before.Misses, c.Requests)
	case c.Reads && after.Hits-before.Hits != c.Requests:
		return fmt.Errorf("the engine found %d keys for %d requests", after.Hits-before.Hits, c.Requests)
	}
	return nil
}
