package serve

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/config"
)

const entry = `exceptions:
  - id: EX-1
    control: %s
    resource: %s
    owner: cache-team
    reason: The load test's cache holds random numbers and lives for a day.
    compensating_control: The security group admits the load test's subnet only.
    approved_by: security-lead
    created: %s
    expires: %s
`

func TestOnlyAValidExceptionExcusesFromRequireAuth(t *testing.T) {
	const arn = "arn:aws:elasticache:us-east-1:000000000000:replicationgroup:load"
	day := func(days int) string { return time.Now().UTC().AddDate(0, 0, days).Format("2006-01-02") }
	path := filepath.Join(t.TempDir(), "exceptions.yaml")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("exceptions: []\n")
	s := &server{cfg: config.Server{RequireAuth: true, Exceptions: path}, log: slog.New(slog.DiscardHandler)}
	excused, err := s.excused()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, file string
		want       bool
	}{
		{"none", "exceptions: []\n", false},
		{"valid", fmt.Sprintf(entry, "Gatehouse.2", arn, day(-1), day(30)), true},
		{"another control", fmt.Sprintf(entry, "ElastiCache.6", arn, day(-1), day(30)), false},
		{"another cache", fmt.Sprintf(entry, "Gatehouse.2", arn+"2", day(-1), day(30)), false},
		{"expired", fmt.Sprintf(entry, "Gatehouse.2", arn, day(-30), day(-1)), false},
		{"eternal", fmt.Sprintf(entry, "Gatehouse.2", arn, day(-1), day(4000)), false},
		{"without an owner", strings.Replace(fmt.Sprintf(entry, "Gatehouse.2", arn, day(-1), day(30)), "    owner: cache-team\n", "", 1), false},
		{"not a file of exceptions", "[", false},
	} {
		write(test.file)
		if got := excused(arn); got != test.want {
			t.Errorf("%s: excused is %v, want %v", test.name, got, test.want)
		}
	}
}

func TestRequireAuthNeedsAFileThatCanBeRead(t *testing.T) {
	s := &server{cfg: config.Server{RequireAuth: true, Exceptions: filepath.Join(t.TempDir(), "none.yaml")}}
	if _, err := s.excused(); err == nil || !strings.Contains(err.Error(), "--exceptions") {
		t.Errorf("got %v", err)
	}
	s.cfg = config.Server{}
	if hook, err := s.excused(); hook != nil || err != nil {
		t.Error("without --require-auth there is a hook")
	}
}
