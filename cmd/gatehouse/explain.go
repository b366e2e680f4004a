package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
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
	Limit  int           `help:"How many of the newest refusals are looked at." default:"1000"`
}

// refusals are refused logins of one user to one cache from one host for one
// kind of reason.
type refusals struct {
	Cache  string    `json:"cache"`
	User   string    `json:"user"`
	Source string    `json:"source"` // host
	Count  int       `json:"count"`
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
	Reason string    `json:"reason"` // of the last
	Next   string    `json:"next,omitempty"`
}

// Run says why the last refused logins were refused, newest first. Clients are
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
	groups := group(records)
	if c.Output == "json" {
		return printJSON(os.Stdout, groups)
	}
	return explain(os.Stdout, groups)
}

// group puts refusals together that have the same remedy, the newest first.
func group(records []trail.Record) []refusals {
	groups := []refusals{}
	at := map[[4]string]int{}
	for _, r := range slices.Backward(records) {
		next := whatNext(r.Reason)
		key := [4]string{r.Cache, r.User, host(r.Source), cmp.Or(next, r.Reason)}
		i, seen := at[key]
		if !seen {
			i = len(groups)
			at[key] = i
			groups = append(groups, refusals{Cache: r.Cache, User: r.User, Source: key[2], Last: r.Time, Reason: r.Reason, Next: next})
		}
		groups[i].Count++
		groups[i].First = r.Time
	}
	return groups
}

func explain(w io.Writer, groups []refusals) error {
	if len(groups) == 0 {
		_, err := fmt.Fprintln(w, "No login that matches was refused.")
		return err
	}
	for i, g := range groups {
		if i > 0 {
			fmt.Fprintln(w)
		}
		times := ""
		if g.Count > 1 {
			times = fmt.Sprintf(", %d times since %s", g.Count, g.First.Local().Format(time.DateTime))
		}
		fmt.Fprintf(w, "%s  user %s on %s, from %s%s\n", g.Last.Local().Format(time.DateTime),
			printable(cmp.Or(g.User, "-")), printable(g.Cache), cmp.Or(printable(g.Source), "-"), times)
		fmt.Fprintf(w, "  why:   %s\n", printable(g.Reason))
		if g.Next != "" {
			fmt.Fprintf(w, "  next:  %s\n", g.Next)
		}
	}
	return nil
}

// host is an address without its port.
func host(address string) string {
	if i := strings.LastIndexByte(address, ':'); i >= 0 && !strings.HasSuffix(address, "]") {
		return strings.Trim(address[:i], "[]")
	}
	return address
}

// printable escapes what a terminal would obey: names and reasons hold what
// clients sent.
func printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}
