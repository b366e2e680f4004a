package usage

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/internal/posture"
	source "github.com/gatehouse/gatehouse/internal/posture/source/aws"
)

// sessionMeter counts logins by the methods that are to be closed, and the
// sessions that still run on one of them.
type sessionMeter struct {
	sessions source.Sessions
	cache    string
	methods  string // separated by commas
	users    string // separated by commas; empty means all
}

func (m sessionMeter) Read(ctx context.Context, from, to time.Time) (Reading, error) {
	logins, err := m.sessions.Logins(ctx, m.cache, from)
	if err != nil {
		return Reading{}, fmt.Errorf("asking Gatehouse how callers of %s logged in: %w", m.cache, err)
	}
	r := Reading{
		Quality: posture.QualityExact, OnSince: logins.OnSince,
		Source: strings.TrimSpace("logins to " + m.cache + " by " + m.methods + " " + m.users + ", counted by the gateways"),
	}
	for _, c := range logins.Counts {
		if !slices.Contains(strings.Split(m.methods, ","), c.Method) || (m.users != "" && !slices.Contains(strings.Split(m.users, ","), c.User)) {
			continue
		}
		r.Count += c.Logins + c.Open
		if c.Last.After(r.Last) {
			r.Last = c.Last
		}
		if c.Open > 0 {
			r.Last = to
		}
	}
	return r, nil
}
