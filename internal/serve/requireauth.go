package serve

import (
	"fmt"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/posture/exception"
)

// openCaches is the control that --require-auth holds caches to.
const openCaches = "Gatehouse.2"

// excused returns what says whether a reviewed exception lets a cache admit
// clients without a credential, nil without --require-auth. The file is read
// anew each time: a review takes effect, and an exception ends, without a
// restart. A file that can no longer be read excuses nothing.
func (s *server) excused() (func(arn string) bool, error) {
	if !s.cfg.RequireAuth {
		return nil, nil
	}
	if s.cfg.Exceptions == "" {
		return func(string) bool { return false }, nil
	}
	if _, err := exception.Load(s.cfg.Exceptions, clock.Real.Now()); err != nil {
		return nil, fmt.Errorf("--exceptions: %w", err)
	}
	return func(arn string) bool {
		now := clock.Real.Now()
		file, err := exception.Load(s.cfg.Exceptions, now)
		if err != nil {
			s.log.Error("no exception to --require-auth is honoured", "error", err)
			return false
		}
		entry, ok := file.Honoured(openCaches, arn, now)
		if ok {
			s.log.Warn("a cache may admit clients without a credential", "cache", arn, "exception", entry.ID, "until", entry.Expires)
		}
		return ok
	}, nil
}
