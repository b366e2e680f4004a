package usage

import (
	"context"
	"fmt"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/gatehouse/gatehouse/internal/posture"
	source "github.com/gatehouse/gatehouse/internal/posture/source/aws"
)

// Reading is what a meter says about one window.
type Reading struct {
	Quality posture.Quality `json:"quality"`
	Source  string          `json:"source"`
	// OnSince is since when the source has been on without a gap; zero means
	// that this is not proven.
	OnSince time.Time `json:"on_since,omitzero"`
	Count   int64     `json:"count"`
	// Last is the latest use seen, or zero.
	Last    time.Time `json:"last,omitzero"`
	Caution string    `json:"caution,omitempty"`
}

// Idle reports whether the reading proves that nobody used the path from a
// moment on: no use, from a source that was on all the time.
func (r Reading) Idle(from time.Time) bool {
	return r.Quality != posture.QualityNone && r.Count == 0 && !r.OnSince.IsZero() && !r.OnSince.After(from)
}

// Meter reads the use of one path.
type Meter interface {
	Read(ctx context.Context, from, to time.Time) (Reading, error)
}

// Spec names a meter and its settings, so that a plan can carry it.
type Spec struct {
	Meter  string            `json:"meter" yaml:"meter"`
	Params map[string]string `json:"params,omitempty" yaml:"params,omitempty"`
}

// The meters.
const (
	RouteCount    = "apigateway-route-count" // api, route_key
	AppSyncKey    = "appsync-key-cloudtrail" // api_arn
	MSKFlowLogs   = "msk-flow-logs"          // cluster_arn, log_group, ports
	MSKBrokerLogs = "msk-broker-logs"        // cluster_arn
	GatehouseUse  = "gatehouse-sessions"     // cache, methods, users
	Nothing       = "none"                   // reason
)

// New makes the meter that a spec names. sessions may be nil unless the spec
// asks Gatehouse.
func New(spec Spec, cfg awssdk.Config, sessions source.Sessions) (Meter, error) {
	p := spec.Params
	switch spec.Meter {
	case RouteCount:
		return routeMeter{cfg: cfg, api: p["api"], key: p["route_key"]}, nil
	case AppSyncKey:
		return keyMeter{cfg: cfg, arn: p["api_arn"]}, nil
	case MSKFlowLogs:
		return flowMeter{cfg: cfg, cluster: p["cluster_arn"], group: p["log_group"], ports: p["ports"]}, nil
	case MSKBrokerLogs:
		return brokerMeter{cfg: cfg, group: p["log_group"]}, nil
	case GatehouseUse:
		if sessions == nil {
			return nil, fmt.Errorf("the evidence comes from Gatehouse, and no Gatehouse was named: give --gatehouse and --endpoint-url")
		}
		return sessionMeter{sessions: sessions, cache: p["cache"], methods: p["methods"], users: p["users"]}, nil
	case Nothing:
		return nothing{reason: p["reason"]}, nil
	}
	return nil, fmt.Errorf("the plan names the meter %q, which does not exist", spec.Meter)
}

// nothing is the honest meter: AWS measures nothing of the kind.
type nothing struct{ reason string }

func (n nothing) Read(context.Context, time.Time, time.Time) (Reading, error) {
	return Reading{Quality: posture.QualityNone, Source: "none exists", Caution: n.reason}, nil
}
