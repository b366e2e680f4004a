package converge_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/store/memory"
)

// A plane with nothing to do does nothing: workers and the finisher must not
// wake each other for ever.
func TestAtRestNothingRuns(t *testing.T) {
	p := start(t, memory.New(), t.TempDir())
	p.gateway("g")
	p.createCache("orders")
	p.createCache("carts")
	p.until("orders is available", status("orders", identity.Available))
	p.until("carts is available", status("carts", identity.Available))
	const rest = time.Second
	before := cpu(t)
	<-time.After(rest)
	if used := cpu(t) - before; used > rest/4 {
		t.Errorf("%v of CPU in %v at rest", used, rest)
	}
}

func cpu(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
