package migrate

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/usage"
)

// Request says what to migrate, and to what.
type Request struct {
	Resource string // ARN
	// Control picks what to fix when a resource can fail several controls; ""
	// means its authentication.
	Control string
	// To is the method to reach; "" takes the one recommended for the kind.
	To     string
	Window time.Duration // 0 means DefaultWindow
	// Set are the settings of a path, such as issuer or user-group.
	Set map[string]string
	// Gatehouse says that the cache is Gatehouse's own: its evidence is exact.
	Gatehouse bool
	Config    awssdk.Config // in the resource's account and region
	Now       func() time.Time
	TLS       *tls.Config
}

// Make reads a resource and writes the plan that takes it from what it is now to
// what was asked for. It changes nothing.
func Make(ctx context.Context, req Request) (*Plan, error) {
	kind, err := kindOf(req.Resource)
	if err != nil {
		return nil, err
	}
	if req.Window == 0 {
		req.Window = DefaultWindow
	}
	if req.Now == nil {
		req.Now = time.Now
	}
	parts := strings.Split(req.Resource, ":")
	b := &builder{req: req, ctx: ctx, plan: &Plan{
		Version: Version, Created: req.Now().UTC().Truncate(time.Second), Resource: req.Resource, Type: kind,
		Account: parts[4], Region: parts[3], Window: req.Window.String(), To: req.To, Control: req.Control,
	}}
	if err := b.look(); err != nil {
		return nil, err
	}
	if b.conf.Busy != "" {
		return nil, fmt.Errorf("%s: wait until it is over, then plan", b.conf.Busy)
	}
	if err := planners[kind](b); err != nil {
		return nil, err
	}
	if len(b.plan.Steps) == 0 {
		return nil, fmt.Errorf("there is nothing to migrate: %s", b.plan.Why)
	}
	// What the plan watches belongs to its precondition.
	if err := b.look(); err != nil {
		return nil, err
	}
	b.plan.Precondition = Precondition{Hash: b.conf.Hash(), Read: b.conf.Fields}
	b.preconditions()
	return b.plan, b.plan.validate()
}

var planners = map[posture.Kind]func(*builder) error{
	posture.KindRoute:            planRoute,
	posture.KindGraphQLAPI:       planGraphQL,
	posture.KindMSKCluster:       planCluster,
	posture.KindDMSEndpoint:      planEndpoint,
	posture.KindReplicationGroup: planGroup,
	posture.KindServerlessCache:  planServerless,
	posture.KindCacheCluster:     planNode,
}

// builder gathers the steps of a plan.
type builder struct {
	ctx  context.Context
	req  Request
	conf Configuration
	plan *Plan
}

func (b *builder) look() error {
	conf, err := configReaders[b.plan.Type](b.ctx, b.req.Config, target{b.req.Resource, b.plan.Watch})
	if err != nil {
		return fmt.Errorf("reading %s: %w", b.req.Resource, err)
	}
	b.conf = conf
	return nil
}

// preconditions writes at each step what it expects to find.
func (b *builder) preconditions() {
	last := ""
	for i := range b.plan.Steps {
		s := &b.plan.Steps[i]
		if s.Kind != KindCall {
			continue
		}
		s.Precondition = "the configuration as step " + last + " left it (its hash is in the record)"
		if last == "" {
			s.Precondition = b.plan.Precondition.Hash
		}
		last = s.ID
	}
}

func (b *builder) add(s Step) { b.plan.Steps = append(b.plan.Steps, s) }

func (b *builder) manual(id, title, effect string) {
	b.add(Step{ID: id, Kind: KindManual, Title: title, Effect: effect})
}

func (b *builder) warn(format string, args ...any) {
	b.plan.Warnings = append(b.plan.Warnings, fmt.Sprintf(format, args...))
}

// drain is the gate at which the old path's use must have been zero.
func (b *builder) drain(spec usage.Spec) {
	title := "nobody has used the old path for " + b.plan.Window
	if spec.Meter == usage.Nothing {
		title = "nobody uses the old path any more: AWS cannot show it, so the operator says how they know"
	}
	b.add(Step{ID: "drain", Kind: KindEvidence, Title: title, Evidence: &spec})
}

// choose takes the method asked for, or the recommended one, and refuses others.
func (b *builder) choose(recommended, why string, allowed ...string) error {
	if b.req.To == "" {
		b.req.To = recommended
	}
	b.plan.Why = "recommended: " + why
	if strings.TrimPrefix(b.req.To, "aws_") != recommended {
		b.plan.Why = "asked for; recommended would be " + recommended + ": " + why
	}
	b.plan.To = b.req.To
	if !slices.Contains(allowed, b.req.To) {
		return fmt.Errorf("--to %s is not possible here: choose one of %s", b.req.To, strings.Join(allowed, ", "))
	}
	return nil
}

// callers says who calls: what the operator says, else what the configuration
// suggests.
func (b *builder) callers(people bool) (method, why string) {
	switch said := b.req.Set["callers"]; {
	case said == "people" || (said == "" && people):
		return "jwt", "people's apps call it, and bring a token of the identity provider that they log in to (--set callers=services if not)"
	default:
		return "iam", "services call it, and sign with the credentials that they have; nothing has to be stored or rotated (--set callers=people if not)"
	}
}

func (b *builder) set(name, otherwise string) string {
	if v := b.req.Set[name]; v != "" {
		return v
	}
	return otherwise
}

// need returns a setting that the path cannot do without.
func (b *builder) need(name, what string) (string, error) {
	if v := b.req.Set[name]; v != "" {
		return v, nil
	}
	return "", fmt.Errorf("--to %s needs %s: give --set %s=…", b.req.To, what, name)
}

func call(service, operation string, input map[string]any) *Call {
	return &Call{Service: service, Operation: operation, Input: input}
}

func is(path string, value any) Check { return Check{Path: path, Is: value} }
