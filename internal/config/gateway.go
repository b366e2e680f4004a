package config

import (
	"errors"
	"fmt"
	"net"
	"time"
)

// Gateway is the configuration of `gatehouse-gateway`.
type Gateway struct {
	Credentials string        `help:"Credential file that \"gatehouse gateway-credentials\" made." required:"" type:"path" placeholder:"FILE"`
	DataDir     string        `help:"Directory of the sealed copy of the directory. Default: the credential file's name with .data after it." type:"path"`
	MaxStale    time.Duration `help:"How long to go on admitting without contact to the control plane; the control plane's own --max-stale is the most." default:"1h"`

	TLSCert string `help:"Show clients this certificate (PEM) in place of one of Gatehouse's own authority; reloaded when it changes." name:"tls-cert" type:"path" placeholder:"FILE"`
	TLSKey  string `help:"Key of --tls-cert (PEM)." name:"tls-key" type:"path" placeholder:"FILE"`

	LogLevel string `help:"Least level that is logged." enum:"debug,info,warn,error" default:"info"`
}

// Validate returns all faults, each naming its flag and the rule, or nil.
func (g *Gateway) Validate() error {
	var faults []error
	if g.MaxStale < time.Second {
		faults = append(faults, fmt.Errorf("--max-stale: %v is less than a second", g.MaxStale))
	}
	if (g.TLSCert == "") != (g.TLSKey == "") {
		faults = append(faults, errors.New("--tls-cert and --tls-key: one is of no use without the other"))
	}
	return errors.Join(faults...)
}

// Dir is the data directory.
func (g *Gateway) Dir() string {
	if g.DataDir != "" {
		return g.DataDir
	}
	return g.Credentials + ".data"
}

func (s *Server) gatewayListenFault() error {
	if s.GatewayListen == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(s.GatewayListen); err != nil {
		return fmt.Errorf("--gateway-listen: %q is not host:port", s.GatewayListen)
	}
	return nil
}
