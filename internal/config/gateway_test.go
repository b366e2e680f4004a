package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/config"
)

func TestGatewayFaultsAreToldAtOnce(t *testing.T) {
	g := config.Gateway{Credentials: "/c.json", MaxStale: time.Millisecond, TLSKey: "/k.pem"}
	err := g.Validate()
	for _, flag := range []string{"--max-stale", "--tls-cert"} {
		if err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%v does not name %s", err, flag)
		}
	}
	g = config.Gateway{Credentials: "/c.json", MaxStale: time.Hour}
	if err := g.Validate(); err != nil || g.Dir() != "/c.json.data" {
		t.Errorf("%v; the data directory is %s", err, g.Dir())
	}
	if g.DataDir = "/d"; g.Dir() != "/d" {
		t.Errorf("the data directory is %s", g.Dir())
	}
}
