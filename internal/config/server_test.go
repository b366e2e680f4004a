package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/config"
)

func valid() config.Server {
	return config.Server{
		DataDir: "/var/lib/gatehouse", Listen: "127.0.0.1:4510", GatewayHost: "127.0.0.1",
		Ports: "16379-16478", Region: "us-east-1", AccountID: "000000000000", MaxStale: time.Hour,
	}
}

func TestValidateNamesTheFault(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*config.Server)
		want   string // of the error; "" means valid
	}{
		{"defaults", func(*config.Server) {}, ""},
		{"GovCloud", func(s *config.Server) { s.Region = "us-gov-west-1" }, ""},
		{"region", func(s *config.Server) { s.Region = "mars" }, "--region"},
		{"account", func(s *config.Server) { s.AccountID = "123" }, "--account-id"},
		{"host", func(s *config.Server) { s.GatewayHost = "a b" }, "--gateway-host"},
		{"ports backwards", func(s *config.Server) { s.Ports = "20-10" }, "--ports"},
		{"one port", func(s *config.Server) { s.Ports = "6379" }, "--ports"},
		{"keep", func(s *config.Server) { s.TrailKeep = -1 }, "--trail-keep"},
		{"stale", func(s *config.Server) { s.MaxStale = 0 }, "--max-stale"},
		{"etcd", func(s *config.Server) { s.EtcdEndpoints = []string{"nonsense"} }, "--etcd-endpoints"},
		{"half a pair", func(s *config.Server) { s.TLSCert = "c.pem" }, "--tls-key"},
		{"exceptions to nothing", func(s *config.Server) { s.Exceptions = "e.yaml" }, "--require-auth"},
		{"exceptions", func(s *config.Server) { s.RequireAuth, s.Exceptions = true, "e.yaml" }, ""},
		{"listen form", func(s *config.Server) { s.Listen = "4510" }, "--listen"},
		{"all interfaces", func(s *config.Server) { s.Listen = ":4510" }, "needs TLS"},
		{"outside without TLS", func(s *config.Server) { s.Listen = "10.0.0.1:4510" }, "needs TLS"},
		{"outside with TLS", func(s *config.Server) { s.Listen, s.TLS = "10.0.0.1:4510", true }, ""},
		{"IPv6 loopback", func(s *config.Server) { s.Listen = "[::1]:4510" }, ""},
		{"localhost", func(s *config.Server) { s.Listen = "localhost:4510" }, ""},
	} {
		s := valid()
		test.change(&s)
		err := s.Validate()
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: error %v, want one about %s", test.name, err, test.want)
		}
	}
}

func TestValidateTellsAllFaultsAtOnce(t *testing.T) {
	s := valid()
	s.Region, s.AccountID, s.Ports = "x", "y", "z"
	err := s.Validate()
	for _, flag := range []string{"--region", "--account-id", "--ports"} {
		if err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%v does not name %s", err, flag)
		}
	}
}
