package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gatehouse/gatehouse/internal/datadir"
	"github.com/gatehouse/gatehouse/internal/serve"
	"github.com/gatehouse/gatehouse/internal/trail"
)

type trailCommand struct {
	Show   trailShow   `cmd:"" default:"withargs" help:"Show the newest records."`
	Verify trailVerify `cmd:"" help:"Check that no record was changed, removed or put in between."`
}

type trailShow struct {
	serverFlags
	outputFlag
	Event  string        `help:"Only this kind of record: api.call, login.refused, …; login. is all that begin so." placeholder:"KIND"`
	Cache  string        `help:"Only this cache." placeholder:"ID"`
	User   string        `help:"Only this user." placeholder:"NAME"`
	Source string        `help:"Only from this address." placeholder:"ADDRESS"`
	Action string        `help:"Only this API action." placeholder:"NAME"`
	Since  time.Duration `help:"Only the last so much time, such as 15m." placeholder:"TIME"`
	Reads  bool          `help:"Also calls that succeeded and only read, of which one a minute is recorded."`
	Limit  int           `help:"How many of the newest." default:"100"`
}

// Run shows records, oldest first.
func (c trailShow) Run(ctx context.Context) error {
	s, err := c.find()
	if err != nil {
		return err
	}
	query := url.Values{
		"event": {c.Event}, "cache": {c.Cache}, "user": {c.User}, "source": {c.Source},
		"action": {c.Action}, "limit": {strconv.Itoa(c.Limit)},
	}
	if c.Reads {
		query.Set("reads", "true")
	}
	if c.Since > 0 {
		query.Set("since", time.Now().Add(-c.Since).UTC().Format(time.RFC3339))
	}
	var records []trail.Record
	if err := s.call(ctx, http.MethodGet, "/gatehouse/v1/trail?"+query.Encode(), nil, &records); err != nil {
		return err
	}
	return list(c.outputFlag, records, "No record matches.",
		[]string{"TIME", "EVENT", "OUTCOME", "WHO", "WHAT", "FROM", "REASON"},
		func(r trail.Record) []string {
			who := cmp.Or(r.User, r.Principal, "-")
			what := cmp.Or(r.Action, r.Node, r.Cache)
			if r.Method != "" {
				what += " (" + r.Method + ")"
			}
			if r.Count > 0 {
				what += fmt.Sprintf(" (%d more)", r.Count)
			}
			row := []string{r.Time.Local().Format(time.DateTime), r.Event, r.Outcome, who, what, cmp.Or(r.Source, "-"), r.Reason}
			for i := range row {
				row[i] = printable(row[i])
			}
			return row
		})
}

type trailVerify struct {
	serverFlags
	Expect string `help:"The hash of the last record as it was kept elsewhere; the trail must contain it." placeholder:"HASH"`
}

// Run checks the files of the data directory; the server need not run. The
// signatures of checkpoints are checked when the master key is there.
func (c trailVerify) Run() error {
	check := trail.Check{Expect: c.Expect}
	key, err := datadir.FindKey(c.dir(), serve.TrailKey)
	switch {
	case err == nil:
		check.Key = &key
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	found, err := trail.Verify(filepath.Join(c.dir(), "trail"), check)
	if err != nil {
		return err
	}
	fmt.Printf("%d records, unbroken. The last one's hash is %s\n", found.Last-found.First+1, found.Head)
	switch {
	case check.Key == nil:
		fmt.Println("The master key is not there, so that the signatures of checkpoints were not checked.")
	case found.Signed > 0:
		fmt.Printf("Signed up to record %d.\n", found.Signed)
	}
	if found.First > 1 {
		fmt.Printf("It begins with record %d: those before it were not to be kept.\n", found.First)
	}
	return nil
}
