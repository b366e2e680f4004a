package cacheauth

import "time"

// RenewEvery makes IAM logins renew that soon, so that a test sees many.
func (p *Provider) RenewEvery(d time.Duration) { p.renewal = func() time.Duration { return d } }
