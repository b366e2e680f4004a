package aws

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	accounttypes "github.com/aws/aws-sdk-go-v2/service/account/types"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"github.com/gatehouse/gatehouse/internal/posture"
)

var enabledStatuses = []accounttypes.RegionOptStatus{accounttypes.RegionOptStatusEnabled, accounttypes.RegionOptStatusEnabledByDefault}

// scope is one account and region while it is being read.
type scope struct {
	*collector
	cfg                        awssdk.Config
	partition, account, region string
	origin                     posture.Origin
	now                        func() time.Time
	sessions                   Sessions
}

func newScope(cfg awssdk.Config, partition, account, region string, options Options) *scope {
	local := cfg.Copy()
	local.Region = region
	s := &scope{
		collector: &collector{}, cfg: local, partition: partition, account: account, region: region,
		origin: posture.OriginAWS, now: options.Now, sessions: options.Sessions,
	}
	if options.Gatehouse {
		s.origin = posture.OriginGatehouse
	}
	return s
}

// reader reads the resources of one service in one scope.
type reader struct {
	service string
	kinds   []posture.Kind
	read    func(*scope, context.Context)
	own     bool // Gatehouse serves it as well
}

var readers = []reader{
	{service: "apigateway", kinds: []posture.Kind{posture.KindRoute}, read: (*scope).readGateway},
	{service: "apigateway", kinds: []posture.Kind{posture.KindRESTMethod}, read: (*scope).readREST},
	{service: "appsync", kinds: []posture.Kind{posture.KindGraphQLAPI, posture.KindEventAPI}, read: (*scope).readAppSync},
	{service: "kafka", kinds: []posture.Kind{posture.KindMSKCluster, posture.KindMSKServerless}, read: (*scope).readKafka},
	{service: "dms", kinds: []posture.Kind{posture.KindDMSEndpoint}, read: (*scope).readDMS},
	{service: "elasticache", kinds: []posture.Kind{posture.KindReplicationGroup, posture.KindCacheCluster, posture.KindServerlessCache}, read: (*scope).readCaches, own: true},
	{service: "config", kinds: []posture.Kind{posture.KindConfigRule}, read: (*scope).readConfig},
}

// read runs the readers that the chosen controls need, side by side.
func (s *scope) read(ctx context.Context, controls []posture.Control, options Options) {
	var group sync.WaitGroup
	for _, r := range readers {
		if (options.Gatehouse && !r.own) || !wanted(controls, r.kinds) {
			continue
		}
		group.Go(func() { r.read(s, ctx) })
	}
	group.Wait()
	s.readTags(ctx)
}

func wanted(controls []posture.Control, kinds []posture.Kind) bool {
	return slices.ContainsFunc(controls, func(c posture.Control) bool {
		return slices.ContainsFunc(kinds, func(k posture.Kind) bool { return slices.Contains(c.Kinds, k) })
	})
}

// controlsOf returns the ids of the controls that judge any of the kinds.
func controlsOf(kinds ...posture.Kind) []string {
	var ids []string
	for _, c := range posture.Catalogue() {
		if wanted([]posture.Control{c}, kinds) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// each runs work for every item, callsAtOnce at a time.
func each[T any](ctx context.Context, items []T, work func(context.Context, T)) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(callsAtOnce)
	for _, item := range items {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error { work(ctx, item); return nil })
	}
	_ = group.Wait() // work reports its own failures as problems
}

func (s *scope) arn(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", s.partition, service, s.region, s.account, resource)
}

// resource starts a resource of this scope.
func (s *scope) resource(kind posture.Kind, id, name string) *posture.Resource {
	return &posture.Resource{
		Kind: kind, ID: id, Name: name, Account: s.account, Region: s.region,
		Location: posture.Location{Origin: s.origin}, Attributes: posture.Attributes{},
	}
}

// failed records that an operation could not be carried out, for one thing or
// (what empty) for the whole list.
func (s *scope) failed(operation, what string, err error, kinds ...posture.Kind) {
	s.note(trouble{operation: operation, reason: plain(err), next: advice(err, operation), what: []string{what}, kinds: kinds})
}

// lost records that something could not be read that no verdict needs, and what
// the report lacks for it: it is shown, and never quietly left out.
func (s *scope) lost(operation, what string, err error, lacks string) {
	s.note(trouble{operation: operation, reason: plain(err) + "; so " + lacks, next: advice(err, operation), what: []string{what}})
}

func (s *scope) note(one trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.troubles {
		t := &s.troubles[i]
		if t.operation == one.operation && t.reason == one.reason {
			t.what = append(t.what, one.what...)
			return
		}
	}
	s.troubles = append(s.troubles, one)
}

// trouble is one way in which one operation failed, for one thing or for many.
type trouble struct {
	operation, reason, next string
	what                    []string
	kinds                   []posture.Kind
}

// collector gathers what concurrent readers find.
type collector struct {
	mu       sync.Mutex
	found    posture.Inventory
	troubles []trouble
}

func (c *collector) add(r *posture.Resource) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.found.Resources = append(c.found.Resources, *r)
}

func (c *collector) problem(p posture.Problem) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.found.Problems = append(c.found.Problems, p)
	c.found.Scopes = append(c.found.Scopes, posture.Scope{Account: p.Account, Region: p.Region})
}

func (c *collector) merge(s *scope) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.found.Add(s.found)
	for _, t := range s.troubles {
		c.found.Problems = append(c.found.Problems, s.describe(t))
	}
	c.found.Scopes = append(c.found.Scopes, posture.Scope{Account: s.account, Region: s.region, Complete: len(s.troubles) == 0})
}

// describe makes one problem of a trouble, however many things it hit.
func (s *scope) describe(t trouble) posture.Problem {
	const most = 5 // names shown; more do not help a reader
	names := slices.DeleteFunc(slices.Clone(t.what), func(w string) bool { return w == "" })
	sort.Strings(names)
	target := t.operation
	if len(names) > 0 {
		shown := names[:min(most, len(names))]
		target += " for " + strings.Join(shown, ", ")
		if len(names) > most {
			target += fmt.Sprintf(" and %d more", len(names)-most)
		}
	}
	return posture.Problem{
		Controls: controlsOf(t.kinds...), Scope: target, Account: s.account, Region: s.region,
		Location: posture.Location{Origin: s.origin}, Reason: t.reason, Next: t.next,
	}
}

// sorted returns the inventory in an order that does not depend on timing.
func (c *collector) sorted() posture.Inventory {
	sort.SliceStable(c.found.Resources, func(i, j int) bool {
		a, b := &c.found.Resources[i], &c.found.Resources[j]
		return a.Account+"|"+a.Region+"|"+string(a.Kind)+"|"+a.ID < b.Account+"|"+b.Region+"|"+string(b.Kind)+"|"+b.ID
	})
	sort.SliceStable(c.found.Problems, func(i, j int) bool {
		a, b := &c.found.Problems[i], &c.found.Problems[j]
		return a.Account+"|"+a.Region+"|"+a.Scope < b.Account+"|"+b.Region+"|"+b.Scope
	})
	sort.Slice(c.found.Scopes, func(i, j int) bool {
		a, b := c.found.Scopes[i], c.found.Scopes[j]
		return a.Account+"|"+a.Region < b.Account+"|"+b.Region
	})
	return c.found
}

// plain says what AWS said, without request ids and wrapping.
func plain(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode() + ": " + api.ErrorMessage()
	}
	return err.Error()
}

// advice says what to do about a failed operation.
func advice(err error, operation string) string {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return "the region did not answer: check that it is reachable from here, and run the audit again"
	}
	code := api.ErrorCode()
	switch {
	case strings.Contains(code, "AccessDenied"), strings.Contains(code, "Unauthorized"):
		return "allow " + operation + " for the auditor's role, and run the audit again"
	case strings.Contains(code, "Throttl"), strings.Contains(code, "TooManyRequests"), strings.Contains(code, "RequestLimit"):
		return "AWS throttled the audit to the end of its patience: run it again, with fewer regions at once"
	case code == "UnrecognizedClientException", code == "InvalidClientTokenId", code == "AuthFailure", strings.Contains(code, "OptIn"):
		return "the region is not enabled for the account: enable it, or leave it out"
	}
	return "resolve the error, and run the audit again"
}
