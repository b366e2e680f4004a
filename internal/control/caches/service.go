package caches

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/credential"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// maxPort is the highest TCP port.
const maxPort = 65535

// Config is what the operations need to know of the server they run in.
type Config struct {
	Account naming.Account
	// Host is the gateway's name or address, as clients reach it: the address
	// of every endpoint.
	Host string
	// FirstPort and LastPort are the ports that nodes may be given.
	FirstPort, LastPort int
	// DirectSet accepts strategy SET where the guide wants a ROTATE first: on a
	// cache without a token, and with a new token on a cache that requires one.
	// AWS has been seen to accept the former, and Terraform's provider relies on it.
	DirectSet bool
	// Installed says whether the program of an engine is there; the error says
	// how to install it. Nil asks for nothing.
	Installed func(identity.Engine) error
	// MayAdmitAnyone says whether a reviewed exception lets the cache with that
	// ARN admit clients without a credential; all others are refused such
	// access. Nil requires authentication of no cache.
	MayAdmitAnyone func(arn string) bool
}

// Service carries out requests. Its methods may be called concurrently.
type Service struct {
	state  *state.State
	key    *credential.Key
	clock  clock.Clock
	config Config
}

// New checks config and makes a Service over st. key makes the digests of AUTH
// tokens and must be the one that gateways judge by.
func New(st *state.State, key *credential.Key, c clock.Clock, config Config) (*Service, error) {
	var faults []error
	if config.Account.ID == "" || config.Account.Region == "" {
		faults = append(faults, errors.New("an account and a region are needed"))
	}
	if config.Host == "" || net.ParseIP(config.Host) == nil && !hostname.MatchString(config.Host) {
		faults = append(faults, fmt.Errorf("gateway host %q is neither an address nor a name", config.Host))
	}
	if config.FirstPort < 1 || config.LastPort > maxPort || config.FirstPort > config.LastPort {
		faults = append(faults, fmt.Errorf("ports %d-%d are not a range within 1-%d", config.FirstPort, config.LastPort, maxPort))
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("caches: %w", errors.Join(faults...))
	}
	return &Service{state: st, key: key, clock: c, config: config}, nil
}

// Source types of the events that this package records
// (ElastiCache API, DescribeEvents).
const (
	cacheSource     = "replication-group"
	clusterSource   = "cache-cluster"
	subnetSource    = "cache-subnet-group"
	parameterSource = "cache-parameter-group"
)

// Init makes what every account has from the start and is not there yet: the
// subnet group "default" and a parameter group for each family.
func (s *Service) Init(ctx context.Context) error {
	_, err := s.state.Update(ctx, func(tx *state.Tx) error {
		if tx.View().SubnetGroups[defaultSubnetGroup] == nil {
			tx.Put(&identity.SubnetGroup{
				Name: defaultSubnetGroup, Description: "Default CacheSubnetGroup", SubnetIDs: []string{"subnet-00000000"},
			})
		}
		for _, family := range families() {
			name := defaultParameterGroup(family)
			if tx.View().ParameterGroups[name] == nil {
				tx.Put(&identity.ParameterGroup{
					Name: name, Family: family, Description: "Default parameter group for " + family,
				})
			}
		}
		return nil
	})
	return err
}
