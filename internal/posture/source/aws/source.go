package aws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"golang.org/x/sync/errgroup"

	"github.com/gatehouse/gatehouse/internal/posture"
)

const (
	// scopesAtOnce is how many account-regions are read at the same time.
	scopesAtOnce = 6
	// callsAtOnce is how many calls of one service are under way in one region:
	// the lowest of the services' own rates is about 5 a second.
	callsAtOnce = 4
	// maxAttempts and maxBackoff let a throttled call wait for about a minute in
	// all before its scope becomes an ERROR.
	maxAttempts = 8
	maxBackoff  = 20 * time.Second
	// callTimeout bounds one attempt, so that a region that does not answer
	// cannot hold up the audit.
	callTimeout = 30 * time.Second
	// AllRegions asks for every region that is enabled in the account.
	AllRegions = "all"
	// sessionName is what CloudTrail shows for the audit's assumed roles.
	sessionName = "gatehouse-audit"
)

// Options say what to read and as whom.
type Options struct {
	// Config holds the first account's credentials and default region.
	Config awssdk.Config
	// Regions to visit; none means Config's own, AllRegions all enabled ones.
	Regions []string
	// Roles to assume, one per further account. When there are any, the account
	// of Config itself is read only if OwnAccount is set.
	Roles      []string
	OwnAccount bool
	// Endpoint replaces every service's endpoint: a test, or Gatehouse.
	Endpoint string
	// Gatehouse says that the endpoint is Gatehouse: only caches are read.
	Gatehouse bool
	// Sessions tells how callers of Gatehouse's own caches logged in.
	Sessions Sessions
	// Controls limits what is read to what these controls judge; none means all.
	Controls []string
	// Retry bounds, for tests; zero means maxAttempts and maxBackoff.
	Attempts int
	Backoff  time.Duration
	// Now tells the time; nil means time.Now.
	Now func() time.Time
}

// Sessions is the evidence that only Gatehouse can give: who logs in to a cache,
// and how.
type Sessions interface {
	// Logins counts a cache's logins since a moment, by user and method, and says
	// since when the gateways have been counting without a gap.
	Logins(ctx context.Context, cache string, since time.Time) (Logins, error)
}

// Logins is what the gateways of one cache counted.
type Logins struct {
	OnSince time.Time    `json:"on_since"`
	Counts  []LoginCount `json:"counts"`
}

// LoginCount counts one user's logins by one method.
type LoginCount struct {
	User   string `json:"user"`
	Method string `json:"method"` // anonymous, token, password, iam
	// Logins since the moment asked about, and sessions that are open now: they
	// use the path although they may have logged in before.
	Logins int64     `json:"logins"`
	Open   int64     `json:"open"`
	Last   time.Time `json:"last,omitzero"`
}

// Load returns the ordinary AWS configuration: environment, shared files, SSO,
// instance and container roles.
func Load(ctx context.Context) (awssdk.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return cfg, fmt.Errorf("loading the AWS configuration: %w", err)
	}
	return cfg, nil
}

// Prepare gives a configuration the endpoint, the connections and the patience
// of an audit. Each client made from it adapts its own rate.
func (o Options) Prepare() awssdk.Config {
	cfg := o.Config.Copy()
	if o.Endpoint != "" {
		cfg.BaseEndpoint = awssdk.String(o.Endpoint)
	}
	cfg.HTTPClient = awshttp.NewBuildableClient().WithTimeout(callTimeout).WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = scopesAtOnce * callsAtOnce
	})
	attempts, backoff := o.Attempts, o.Backoff
	if attempts == 0 {
		attempts = maxAttempts
	}
	if backoff == 0 {
		backoff = maxBackoff
	}
	cfg.Retryer = func() awssdk.Retryer {
		return retry.NewAdaptiveMode(func(a *retry.AdaptiveModeOptions) {
			a.StandardOptions = append(a.StandardOptions, func(s *retry.StandardOptions) {
				s.MaxAttempts, s.MaxBackoff = attempts, backoff
				// The SDK's quota ends retries early when many calls of one audit
				// are throttled together; MaxAttempts bounds them instead.
				s.RateLimiter = ratelimit.None
			})
		})
	}
	return cfg
}

// AsRole returns cfg with the credentials of an assumed role; an empty role is
// cfg itself.
func AsRole(cfg awssdk.Config, role string) awssdk.Config {
	if role == "" {
		return cfg
	}
	assumed := cfg.Copy()
	assumed.Credentials = awssdk.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), role, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = sessionName
	}))
	return assumed
}

// Read visits every account and region. Its error is about the options; what
// AWS refuses is in the inventory's problems.
func Read(ctx context.Context, options Options) (posture.Inventory, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	controls, err := posture.Select(options.Controls)
	if err != nil {
		return posture.Inventory{}, err
	}
	base := options.Prepare()
	if base.Region == "" && len(options.Regions) > 0 && options.Regions[0] != AllRegions {
		base.Region = options.Regions[0]
	}
	if base.Region == "" {
		return posture.Inventory{}, errors.New("no region: give --region, or set AWS_REGION or a region in the profile")
	}
	roles := options.Roles
	if len(roles) == 0 || options.OwnAccount {
		roles = append([]string{""}, roles...)
	}
	all := &collector{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(scopesAtOnce)
	for _, role := range roles {
		cfg := AsRole(base, role)
		scopes, problem := scopesOf(ctx, cfg, role, options)
		if problem != nil {
			all.problem(*problem)
			continue
		}
		for _, s := range scopes {
			group.Go(func() error {
				s.read(ctx, controls, options)
				all.merge(s)
				return ctx.Err()
			})
		}
	}
	if err := group.Wait(); err != nil {
		return posture.Inventory{}, fmt.Errorf("reading AWS: %w", err)
	}
	return all.sorted(), nil
}

// scopesOf asks who the credentials are and which regions to visit.
func scopesOf(ctx context.Context, cfg awssdk.Config, role string, options Options) ([]*scope, *posture.Problem) {
	who := role
	if who == "" {
		who = "the default credentials"
	}
	identity, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, &posture.Problem{
			Scope: "account of " + who, Account: accountOf(role), Region: "*",
			Reason: "could not get in: " + plain(err), Next: "check the credentials, the role's trust policy and sts:AssumeRole",
		}
	}
	id := awssdk.ToString(identity.Account)
	regions := options.Regions
	if len(regions) == 0 {
		regions = []string{cfg.Region}
	}
	if len(regions) == 1 && regions[0] == AllRegions {
		if regions, err = enabledRegions(ctx, cfg); err != nil {
			return nil, &posture.Problem{
				Scope: "regions of account " + id, Account: id, Region: "*",
				Reason: "could not list the enabled regions: " + plain(err), Next: "grant account:ListRegions, or name each --region",
			}
		}
	}
	partition := "aws"
	if parts := strings.SplitN(awssdk.ToString(identity.Arn), ":", 3); len(parts) == 3 && parts[1] != "" {
		partition = parts[1]
	}
	var scopes []*scope
	for _, region := range regions {
		scopes = append(scopes, newScope(cfg, partition, id, region, options))
	}
	return scopes, nil
}

func enabledRegions(ctx context.Context, cfg awssdk.Config) ([]string, error) {
	var names []string
	pages := account.NewListRegionsPaginator(account.NewFromConfig(cfg), &account.ListRegionsInput{
		RegionOptStatusContains: enabledStatuses,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range page.Regions {
			names = append(names, awssdk.ToString(r.RegionName))
		}
	}
	return names, nil
}

func accountOf(arn string) string {
	if parts := strings.Split(arn, ":"); len(parts) > 4 {
		return parts[4]
	}
	return "unknown"
}
