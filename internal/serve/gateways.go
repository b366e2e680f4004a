package serve

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/certs"
	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/remote"
	"github.com/gatehouse/gatehouse/internal/trail"
)

// GatewayRequest asks for the credentials of a gateway in another process. Its
// private key is made by whoever asks and is not sent.
type GatewayRequest struct {
	ID         string `json:"id"`
	ListenHost string `json:"listenHost"`
	PublicKey  []byte `json:"publicKey"` // PKIX
}

// GatewayAnswer carries what was issued.
type GatewayAnswer struct {
	Address     string `json:"address"` // of the listener for gateways
	CA          string `json:"ca"`      // PEM
	Certificate []byte `json:"certificate"`
}

// openGateways opens the listener for gateways of other processes, if one is
// asked for, and lets the hub expect those that followed before.
func (s *server) openGateways(context.Context) error {
	if s.cfg.GatewayListen == "" {
		return nil
	}
	path, err := s.dir.Sub("gateways")
	if err != nil {
		return err
	}
	if s.members, err = openMembers(path); err != nil {
		return err
	}
	for _, m := range s.members.list() {
		if m.Connected {
			s.hub.Expect(m.ID)
		}
	}
	cert, err := s.authority.IssueControl()
	if err != nil {
		return err
	}
	if s.gatewayListener, err = net.Listen("tcp", s.cfg.GatewayListen); err != nil {
		return fmt.Errorf("opening the listener for gateways (--gateway-listen): %w", err)
	}
	s.closers = append(s.closers, func() error { _ = s.gatewayListener.Close(); return nil })
	s.remotes = remote.NewServer(remote.ServerConfig{
		Hub: s.hub, Cert: cert, CAs: s.authority.Pool(), Admit: s.members.admit, Certify: s.certifyGateway,
		DigestKey: s.digestKey, MaxStale: s.cfg.MaxStale, Settled: s.settled, Reports: gatewayReports{s}, Log: s.log,
	})
	return nil
}

// serveGateways runs the listener for gateways.
func (s *server) serveGateways(ctx context.Context) error {
	if s.remotes == nil {
		return nil
	}
	s.parts.Go(func() { s.settle(ctx) })
	s.log.Info("gateways may follow", "address", s.gatewayListener.Addr())
	return s.remotes.Serve(ctx, s.gatewayListener)
}

// settlePause is how often settle looks; it does so at the start only.
const settlePause = 50 * time.Millisecond

// settle closes settled when all caches of the last run are published again, or
// have had the time for it.
func (s *server) settle(ctx context.Context) {
	defer close(s.settled)
	for time.Since(s.started) < startPatience {
		missing := false
		for id, rg := range s.state.View().ReplicationGroups {
			missing = missing || rg.Status != identity.Deleting && s.hub.Cache(id) == nil
		}
		if !missing {
			return
		}
		select {
		case <-clock.Real.After(settlePause):
		case <-ctx.Done():
			return
		}
	}
}

// certifyGateway signs the certificate that a gateway shows its clients.
func (s *server) certifyGateway(host string, public []byte) ([]byte, error) {
	key, err := gatewayKey(public)
	if err != nil {
		return nil, err
	}
	cert, err := s.authority.IssueServer(host, key)
	if err != nil {
		return nil, err
	}
	return cert.Raw, nil
}

func gatewayKey(public []byte) (*ecdsa.PublicKey, error) {
	key, err := x509.ParsePKIXPublicKey(public)
	if ec, ok := key.(*ecdsa.PublicKey); err == nil && ok {
		return ec, nil
	}
	return nil, identity.Errorf(identity.InvalidParameterValue, "The gateway's public key is not an ECDSA key in PKIX form.")
}

func (s *server) gatewayEndpoints() []awsapi.Endpoint {
	return []awsapi.Endpoint{
		{Method: http.MethodPost, Path: "/gatehouse/v1/gateway", Action: "gatehouse:IssueGatewayCredentials", Serve: s.issueGateway},
		{Method: http.MethodDelete, Path: "/gatehouse/v1/gateway", Action: "gatehouse:RevokeGatewayCredentials", Serve: s.revokeGateway},
	}
}

var errNoGateways = identity.Errorf(identity.InvalidParameterCombination, "This server does not listen for gateways: start it with --gateway-listen HOST:PORT.")

func (s *server) issueGateway(ctx context.Context, r *awsapi.EndpointRequest) (any, error) {
	if s.remotes == nil {
		return nil, errNoGateways
	}
	var request GatewayRequest
	if err := json.Unmarshal(r.Body, &request); err != nil {
		return nil, identity.Errorf(identity.InvalidParameterValue, "The request is not a JSON object with id, listenHost and publicKey.")
	}
	request.ListenHost = strings.ToLower(request.ListenHost)
	if err := s.checkGateway(&request); err != nil {
		return nil, err
	}
	key, err := gatewayKey(request.PublicKey)
	if err != nil {
		return nil, err
	}
	cert, err := s.authority.IssueClient(request.ID, key)
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(s.authority.File())
	if err != nil {
		return nil, fmt.Errorf("reading the authority's certificate: %w", err)
	}
	if err := s.members.put(member{ID: request.ID, Host: request.ListenHost, Fingerprint: fingerprint(cert), Issued: time.Now().UTC()}); err != nil {
		return nil, err
	}
	s.remotes.Disconnect(request.ID)
	s.recordGateway(ctx, trail.GatewayIssued, request.ID, "it listens at "+request.ListenHost)
	return GatewayAnswer{Address: s.gatewayListener.Addr().String(), CA: string(ca), Certificate: cert.Raw}, nil
}

var listenHostForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)

// checkGateway holds the rule of who listens where: every gateway serves every
// node at the node's port, each at a host of its own.
func (s *server) checkGateway(r *GatewayRequest) error {
	ip := net.ParseIP(r.ListenHost)
	switch {
	case !remote.ValidID(r.ID) || r.ID == localGateway:
		return identity.Errorf(identity.InvalidParameterValue, "A gateway is called by up to 63 lower-case letters, digits and hyphens, and not %q, which is the one in the server.", localGateway)
	case ip == nil && !listenHostForm.MatchString(r.ListenHost), ip != nil && ip.IsUnspecified(), r.ListenHost == certs.ControlName:
		return identity.Errorf(identity.InvalidParameterValue, "The listen host %q must be the one address or name that the gateway listens at and clients connect to.", r.ListenHost)
	case r.ListenHost == strings.ToLower(s.cfg.GatewayHost):
		return identity.Errorf(identity.InvalidParameterValue, "The server itself listens at %s (--gateway-host): every gateway needs a host of its own, such as 127.0.0.2 on the same machine.", r.ListenHost)
	}
	return nil
}

func (s *server) revokeGateway(ctx context.Context, r *awsapi.EndpointRequest) (any, error) {
	if s.remotes == nil {
		return nil, errNoGateways
	}
	id := r.Query.Get("id")
	if err := s.members.remove(id); err != nil {
		return nil, err
	}
	s.remotes.Disconnect(id)
	s.recordGateway(ctx, trail.GatewayRevoked, id, "what it knows lets it go on admitting for "+s.cfg.MaxStale.String()+" at most")
	return struct{}{}, nil
}

func (s *server) recordGateway(ctx context.Context, event, id, reason string) {
	caller := awsapi.CallerOf(ctx)
	s.trail.Append(trail.Record{
		Event: event, Outcome: "ok", Gateway: id, Reason: reason, Principal: caller.ARN, AccessKeyID: caller.AccessKeyID,
	})
}
