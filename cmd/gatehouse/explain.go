package main

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gatehouse/gatehouse/internal/trail"
)

type explainCommand struct {
	serverFlags
	outputFlag
	Cache  string        `help:"Only logins to this cache." placeholder:"ID"`
	User   string        `help:"Only logins of this user." placeholder:"NAME"`
	Source string        `help:"Only logins from this address." placeholder:"ADDRESS"`
	Since  time.Duration `help:"Only the last so much time, such as 15m." placeholder:"TIME"`
	Limit  int           `help:"How many of the newest." default:"20"`
}

// Run says why the last refused logins were refused, oldest first. Clients are
// never told.
func (c explainCommand) Run(ctx context.Context) error {
	s, err := c.find()
	if err != nil {
		return err
	}
	query := url.Values{
		"event": {trail.LoginRefused}, "cache": {c.Cache}, "user": {c.User}, "source": {c.Source}, "limit": {strconv.Itoa(c.Limit)},
	}
	if c.Since > 0 {
		query.Set("since", time.Now().Add(-c.Since).UTC().Format(time.RFC3339))
	}
	var records []trail.Record
	if err := s.call(ctx, http.MethodGet, "/gatehouse/v1/trail?"+query.Encode(), nil, &records); err != nil {
		return err
	}
	return list(c.outputFlag, records, "No login that matches was refused.",
		[]string{"TIME", "CACHE", "USER", "FROM", "WHY"},
		func(r trail.Record) []string {
			return []string{r.Time.Local().Format(time.DateTime), r.Cache, cmp.Or(r.User, "-"), cmp.Or(r.Source, "-"), r.Reason}
		})
}
