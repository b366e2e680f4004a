package usage

import (
	"context"
	"fmt"
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
}

func (m sessionMeter) Read(ctx context.Context, from, to time.Time) (Reading, error) {
	logins, err := m.sessions.Logins(ctx, m.cache, from)
	if err != nil {
		return Reading{}, fmt.Errorf("asking Gatehouse how callers of %s logged in: %w", m.cache, err)
	}
	r := Reading{Quality: posture.QualityExact, Source: "logins to " + m.cache + " by " + m.methods + ", counted by the gateways", OnSince: logins.OnSince}
	for method := range strings.SplitSeq(m.methods, ",") {
		r.Count += logins.ByMethod[method] + logins.Open[method]
		if last := logins.Last[method]; last.After(r.Last) {
			r.Last = last
		}
		if logins.Open[method] > 0 {
			r.Last = to
		}
	}
	return r, nil
}
