// Package config is what an operator can set: one struct per program, filled
// from flags, then GATEHOUSE_* variables, then a YAML file, and validated as a
// whole so that every fault is told at once.
//
// It owns names, defaults and rules of settings. It leaves parsing flags to the
// programs (kong reads the tags below) and acting on them to internal/serve.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Server is the configuration of `gatehouse serve`.
type Server struct {
	DataDir     string `help:"Directory that holds everything: state, engines' data, keys, root credentials." default:"${data_dir}" type:"path"`
	Listen      string `help:"Address of the API." default:"127.0.0.1:4510"`
	GatewayHost string `help:"Address that caches are reached at: the gateway listens on it and the API returns it." default:"127.0.0.1"`
	Ports       string `help:"Ports for cache nodes, first-last." default:"16379-16478"`
	Region      string `help:"The region that this server is." default:"us-east-1"`
	AccountID   string `help:"The account that this server is." name:"account-id" default:"000000000000"`

	GatewayListen string `help:"Address at which gateways of other processes follow the directory (mutual TLS). Without it there are none." placeholder:"HOST:PORT"`

	EtcdEndpoints []string `help:"Keep the state in this etcd cluster instead of the embedded one." placeholder:"URL"`

	TLS     bool   `help:"Serve the API over TLS with a certificate of Gatehouse's own authority." name:"tls"`
	TLSCert string `help:"Serve the API, and caches, with this certificate (PEM); reloaded when it changes." name:"tls-cert" type:"path" placeholder:"FILE"`
	TLSKey  string `help:"Key of --tls-cert (PEM)." name:"tls-key" type:"path" placeholder:"FILE"`

	MaxStale         time.Duration `help:"How long a gateway without contact goes on admitting from what it knows." default:"1h"`
	TrailKeep        time.Duration `help:"How long a full file of the trail is kept, such as 2160h for 90 days; 0 is for ever." default:"0"`
	StrictRevocation bool          `help:"Let a change wait until gateways without contact can no longer admit anyone."`
	DirectSet        bool          `help:"Accept AuthTokenUpdateStrategy SET on a cache without a token, as AWS has been seen to do."`

	RequireAuth bool   `help:"Refuse a cache that would admit clients without a credential (control Gatehouse.2)."`
	Exceptions  string `help:"Reviewed exceptions; one for Gatehouse.2 lets the cache that it names be open despite --require-auth." type:"path" placeholder:"FILE"`

	LogLevel string `help:"Least level that is logged." enum:"debug,info,warn,error" default:"info"`
}

var (
	regionForm  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d$`)
	accountForm = regexp.MustCompile(`^\d{12}$`)
)

// Validate returns all faults, each naming its flag and the rule, or nil.
func (s *Server) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }

	if s.DataDir == "" {
		fault("--data-dir: must be given")
	}
	if !regionForm.MatchString(s.Region) {
		fault("--region: %q is not a region name such as us-east-1", s.Region)
	}
	if !accountForm.MatchString(s.AccountID) {
		fault("--account-id: %q is not twelve digits", s.AccountID)
	}
	if net.ParseIP(s.GatewayHost) == nil && !hostForm.MatchString(s.GatewayHost) {
		fault("--gateway-host: %q is neither an IP address nor a host name", s.GatewayHost)
	}
	if _, _, err := s.PortRange(); err != nil {
		faults = append(faults, err)
	}
	if s.TrailKeep < 0 {
		fault("--trail-keep: %v is less than nothing; 0 keeps all", s.TrailKeep)
	}
	if s.MaxStale < time.Second {
		fault("--max-stale: %v is less than a second", s.MaxStale)
	}
	for _, endpoint := range s.EtcdEndpoints {
		if u, err := url.Parse(endpoint); err != nil || u.Host == "" {
			fault("--etcd-endpoints: %q is not a URL such as http://10.0.0.1:2379", endpoint)
		}
	}
	if (s.TLSCert == "") != (s.TLSKey == "") {
		fault("--tls-cert and --tls-key: one is of no use without the other")
	}
	if s.Exceptions != "" && !s.RequireAuth {
		fault("--exceptions: is of use with --require-auth only")
	}
	faults = append(faults, s.listenFault(), s.gatewayListenFault())
	return errors.Join(faults...)
}

var hostForm = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?$`)

func (s *Server) listenFault() error {
	host, _, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return fmt.Errorf("--listen: %q is not host:port", s.Listen)
	}
	ip := net.ParseIP(host)
	if host != "localhost" && (ip == nil || !ip.IsLoopback()) && !s.ServesTLS() {
		return fmt.Errorf("--listen: %s can be reached from other machines, so the API needs TLS: add --tls, or --tls-cert and --tls-key", s.Listen)
	}
	return nil
}

// ServesTLS reports whether the API is served over TLS.
func (s *Server) ServesTLS() bool { return s.TLS || s.TLSCert != "" }

// PortRange returns the first and last port for cache nodes.
func (s *Server) PortRange() (first, last int, err error) {
	low, high, both := strings.Cut(s.Ports, "-")
	first, err1 := strconv.Atoi(low)
	last, err2 := strconv.Atoi(high)
	if !both || err1 != nil || err2 != nil || first < 1 || last > 65535 || first > last {
		return 0, 0, fmt.Errorf("--ports: %q is not first-last with ports from 1 to 65535", s.Ports)
	}
	return first, last, nil
}
