package iamtoken

import (
	"net/netip"
	"time"

	"github.com/gatehouse/gatehouse/internal/policy"
)

// Target is a resource of elasticache:Connect.
type Target struct {
	ARN  string
	Tags map[string]string
}

// Connection is what a login asks for, beyond the token.
type Connection struct {
	Cache  Target // a replication group or a serverless cache
	User   Target
	Region string
	Source netip.Addr // the client's address
	At     time.Time
}

// connectAction is the action that a login needs.
const connectAction = "elasticache:Connect"

// MayConnect evaluates elasticache:Connect on the cache and on the user, both of
// which must be allowed (ElastiCache User Guide, "Authenticating with IAM"). It
// returns the decision that decided and, of a denial, the reason in words for
// the trail; the condition keys are those that AWS offers at connect.
func (g *Grant) MayConnect(c *Connection) (decision policy.Decision, reason string) {
	ctx := make(policy.Context, 16)
	g.Principal.Describe(ctx)
	ctx.SetTime(c.At)
	source := c.Source.Unmap().WithZone("").String()
	ctx.Set("aws:SourceIp", source)
	ctx.Set("aws:VpcSourceIp", source)
	ctx.Set("aws:SecureTransport", "true") // tokens are taken over TLS only
	ctx.Set("aws:RequestedRegion", c.Region)
	for _, target := range []*Target{&c.Cache, &c.User} {
		ctx.SetTags("aws:ResourceTag", target.Tags)
		r := &policy.Request{Principal: &g.Principal, Action: connectAction, Resource: target.ARN, Context: ctx}
		decision = policy.Evaluate(r, &g.Policies)
		if !decision.Allowed {
			return decision, decision.Reason(r)
		}
		for key := range target.Tags { // the next resource has its own
			ctx.Set("aws:ResourceTag/" + key)
		}
	}
	return decision, ""
}
