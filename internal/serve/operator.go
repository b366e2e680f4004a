package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/control/converge"
	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/gateway"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/trail"
)

// CacheInfo is what a client needs to connect to a cache.
type CacheInfo struct {
	ID        string               `json:"id"`
	Status    identity.Status      `json:"status"`
	State     identity.AuthState   `json:"state"`
	Transit   identity.TransitMode `json:"transit"`
	Anonymous bool                 `json:"anonymous"` // lets clients in that do not log in
	Nodes     []NodeInfo           `json:"nodes"`     // those that run; the first takes writes
}

// NodeInfo is one node of a cache.
type NodeInfo struct {
	ID string `json:"id"`
	// Endpoint is primary or reader for an address that leads to the node
	// because of its role, "" for the node's own.
	Endpoint string          `json:"endpoint,omitempty"`
	Address  string          `json:"address"` // host:port
	Engine   identity.Engine `json:"engine"`
}

// SessionsAnswer is who is connected, and what an operator must not overlook.
type SessionsAnswer struct {
	Sessions []Session `json:"sessions"`
	Warnings []string  `json:"warnings"`
}

// TicketRequest asks for a one-use password for a user of a cache.
type TicketRequest struct {
	Cache string `json:"cache"`
	User  string `json:"user"`
}

// TicketAnswer carries it.
type TicketAnswer struct {
	Password string `json:"password"`
	Expires  int    `json:"expiresInSeconds"`
}

func (s *server) endpoints() ([]awsapi.Endpoint, awsapi.Permissions) {
	ofCache := func(in any) []string {
		if id := in.(*awsapi.EndpointRequest).Query.Get("cache"); id != "" {
			return []string{s.cacheARN(id)}
		}
		return []string{"*"}
	}
	endpoints := []awsapi.Endpoint{
		{Method: http.MethodGet, Path: "/gatehouse/v1/sessions", Action: "gatehouse:ListSessions", Serve: s.listSessions},
		{Method: http.MethodGet, Path: "/gatehouse/v1/cache", Action: "gatehouse:GetCache", Serve: s.getCache},
		{Method: http.MethodGet, Path: "/gatehouse/v1/trail", Action: "gatehouse:ListTrail", Serve: s.listTrail},
		{Method: http.MethodPost, Path: "/gatehouse/v1/ticket", Action: "gatehouse:IssueTicket", Serve: s.issueTicket},
	}
	return append(append(endpoints, s.loginsEndpoint()), s.gatewayEndpoints()...), awsapi.Permissions{
		"gatehouse:IssueGatewayCredentials":  awsapi.OnAll,
		"gatehouse:RevokeGatewayCredentials": awsapi.OnAll,

		"gatehouse:ListSessions": ofCache,
		"gatehouse:GetCache":     ofCache,
		"gatehouse:ListLogins":   ofCache,
		"gatehouse:ListTrail":    awsapi.OnAll,
		"gatehouse:IssueTicket":  s.ticketResources,
	}
}

func (s *server) cacheARN(id string) string {
	return s.account.ARN("replicationgroup", strings.ToLower(id))
}

func (s *server) listSessions(ctx context.Context, r *awsapi.EndpointRequest) (any, error) {
	cache := strings.ToLower(r.Query.Get("cache"))
	answer := SessionsAnswer{Sessions: []Session{}, Warnings: s.warnings()}
	all, silent := s.sessionsOfAll(ctx)
	for _, id := range silent {
		answer.Warnings = append(answer.Warnings, fmt.Sprintf("gateway %s did not say who is connected to it", id))
	}
	for _, session := range all {
		if cache == "" || session.Cache == cache {
			answer.Sessions = append(answer.Sessions, session)
		}
	}
	return answer, nil
}

// warnings names what is open and who is behind.
func (s *server) warnings() []string {
	warnings := []string{}
	anonymous := map[string]int{}
	for key, n := range s.sessionCounts() {
		if key.method == gateway.Anonymous {
			anonymous[key.cache] += n
		}
	}
	for id, rg := range s.state.View().ReplicationGroups {
		if optional(rg) {
			warnings = append(warnings, fmt.Sprintf("cache %s still lets anonymous clients in: its token is optional until AuthTokenUpdateStrategy SET (%d connected without it now)", id, anonymous[id]))
		}
	}
	warnings = append(warnings, s.fleetWarnings()...)
	slices.Sort(warnings)
	return warnings
}

func (s *server) getCache(_ context.Context, r *awsapi.EndpointRequest) (any, error) {
	id := strings.ToLower(r.Query.Get("cache"))
	rg := s.state.View().ReplicationGroups[id]
	if rg == nil {
		return nil, identity.Errorf(identity.ReplicationGroupNotFound, "Replication group %s not found.", id)
	}
	info := CacheInfo{ID: id, Status: rg.Status, State: rg.Access.State, Transit: rg.Transit, Nodes: []NodeInfo{}}
	if published := s.hub.Cache(id); published != nil {
		info.Anonymous = published.Anonymous
		for _, node := range published.Nodes {
			at := len(info.Nodes)
			if node.Endpoint == directory.PrimaryEndpoint {
				at = 0
			}
			info.Nodes = slices.Insert(info.Nodes, at, NodeInfo{ID: node.ClusterID, Endpoint: node.Endpoint, Address: node.Listen, Engine: node.Kind})
		}
	}
	return info, nil
}

func (s *server) listTrail(_ context.Context, r *awsapi.EndpointRequest) (any, error) {
	query := trail.Query{
		Event: r.Query.Get("event"), Cache: strings.ToLower(r.Query.Get("cache")), User: r.Query.Get("user"),
		Source: r.Query.Get("source"), Action: r.Query.Get("action"),
		Reads: r.Query.Get("reads") == "true",
	}
	if text := r.Query.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > trail.MaxLimit {
			return nil, identity.Errorf(identity.InvalidParameterValue, "limit must be a number from 1 to %d.", trail.MaxLimit)
		}
		query.Limit = limit
	}
	var err error
	if query.Since, err = readSince(r.Query.Get("since")); err != nil {
		return nil, err
	}
	records, err := s.trail.Read(query)
	if records == nil {
		records = []trail.Record{}
	}
	return records, err
}

func readTicketRequest(r *awsapi.EndpointRequest) (TicketRequest, error) {
	var request TicketRequest
	if err := json.Unmarshal(r.Body, &request); err != nil {
		return request, identity.Errorf(identity.InvalidParameterValue, "The request is not a JSON object with cache and user.")
	}
	request.Cache = strings.ToLower(request.Cache)
	if request.Cache == "" || request.User == "" {
		return request, identity.Errorf(identity.MissingParameter, "The request must name a cache and a user.")
	}
	return request, nil
}

// ticketResources are what a ticket opens: the cache, as that user.
func (s *server) ticketResources(in any) []string {
	request, err := readTicketRequest(in.(*awsapi.EndpointRequest))
	if err != nil {
		return []string{"*"} // issueTicket refuses it with the reason
	}
	resources := []string{s.cacheARN(request.Cache)}
	if published := s.hub.Cache(request.Cache); published != nil {
		if user := published.User(request.User); user != nil && user.ID != "" {
			resources = append(resources, s.account.ARN("user", user.ID))
		}
	}
	return resources
}

func (s *server) issueTicket(ctx context.Context, r *awsapi.EndpointRequest) (any, error) {
	request, err := readTicketRequest(r)
	if err != nil {
		return nil, err
	}
	secret, err := s.converger.Ticket(ctx, request.Cache, request.User)
	if err != nil {
		return nil, err
	}
	caller := awsapi.CallerOf(ctx)
	s.trail.Append(trail.Record{
		Event: trail.TicketIssued, Outcome: "ok", Principal: caller.ARN, AccessKeyID: caller.AccessKeyID,
		Cache: request.Cache, User: request.User, Reason: "one login within " + converge.TicketLife.String(),
	})
	return TicketAnswer{Password: secret.Reveal(), Expires: int(converge.TicketLife.Seconds())}, nil
}
