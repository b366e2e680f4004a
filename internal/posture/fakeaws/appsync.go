package fakeaws

import (
	"maps"
	"time"
)

var appsyncHandlers = map[string]handler{
	"ListGraphqlApis": listGraphQL,
	"ListSourceApiAssociations": func(r *Region, q *request) (Doc, error) {
		return r.appsyncPage(q, q.under("sources"), "sourceApiAssociationSummaries")
	},
	"GetGraphqlApi": func(r *Region, q *request) (Doc, error) {
		d, err := r.need("graphql", q.path[2], "NotFoundException")
		return Doc{"graphqlApi": d}, err
	},
	"ListApiKeys": func(r *Region, q *request) (Doc, error) {
		if _, err := r.need("graphql", q.path[2], "NotFoundException"); err != nil {
			if _, err := r.need("events", q.path[2], "NotFoundException"); err != nil {
				return nil, err
			}
		}
		return r.appsyncPage(q, q.under("apikeys"), "apiKeys")
	},
	"ListApis": func(r *Region, q *request) (Doc, error) { return r.appsyncPage(q, "events", "apis") },
	"ListChannelNamespaces": func(r *Region, q *request) (Doc, error) {
		return r.appsyncPage(q, q.under("namespaces"), "channelNamespaces")
	},
	"UpdateGraphqlApi": updateGraphqlAPI,
	"CreateApiKey":     createAPIKey,
	"UpdateApiKey":     updateAPIKey,
	"DeleteApiKey": func(r *Region, q *request) (Doc, error) {
		if _, err := r.need(q.under("apikeys"), q.path[4], "NotFoundException"); err != nil {
			return nil, err
		}
		r.table(q.under("apikeys")).drop(q.path[4])
		return Doc{}, nil
	},
}

// appsyncPageLimit is the most items AppSync puts on a page.
const appsyncPageLimit = 25

func (r *Region) appsyncPage(q *request, name, field string) (Doc, error) {
	return r.appsyncItems(q, name, field, r.table(name).list())
}

// listGraphQL lists the APIs of one type, or all.
func listGraphQL(r *Region, q *request) (Doc, error) {
	var items []Doc
	for _, d := range r.table("graphql").list() {
		if kind := text(q.in, "apiType"); kind == "" || kind == text(d, "apiType") {
			items = append(items, d)
		}
	}
	return r.appsyncItems(q, "graphql", "graphqlApis", items)
}

func (r *Region) appsyncItems(q *request, name, field string, all []Doc) (Doc, error) {
	items, next, err := r.page(name, all, text(q.in, "nextToken"), limit(q.in["maxResults"], appsyncPageLimit, appsyncPageLimit))
	if err != nil {
		return nil, err
	}
	out := Doc{field: items}
	if next != "" {
		out["nextToken"] = next
	}
	return out, nil
}

// AddGraphQL seeds a GraphQL API that knows its callers by key.
func (r *Region) AddGraphQL(id string, d Doc) Doc {
	return r.seed("graphql", id, Doc{
		"apiId": id, "name": id, "authenticationType": "API_KEY", "arn": r.arn("appsync", "apis/"+id), "apiType": "GRAPHQL",
		"visibility": "GLOBAL", "xrayEnabled": false, "introspectionConfig": "ENABLED", "queryDepthLimit": 0, "resolverCountLimit": 0,
		"uris": Doc{"GRAPHQL": r.fake.URL + dataPrefix + r.Account + "/" + r.Name + "/graphql/" + id},
	}, d)
}

// AddMergedAPI seeds a merged API and the APIs that it answers for.
func (r *Region) AddMergedAPI(id string, d Doc, sources ...string) {
	r.AddGraphQL(id, Doc{"apiType": "MERGED"})
	r.Edit("graphql", id, func(api Doc) { maps.Copy(api, d) })
	for _, source := range sources {
		r.seed("sources/"+id, source, Doc{"associationId": "as-" + source, "sourceApiId": source, "sourceApiArn": r.arn("appsync", "apis/"+source)}, nil)
	}
}

// AddAPIKey seeds a key of an API; it expires in a week.
func (r *Region) AddAPIKey(api, id string, d Doc) Doc {
	return r.seed("apikeys/"+api, id, Doc{"id": id, "expires": r.fake.Now().Add(7 * 24 * time.Hour).Unix()}, d)
}

// AddEventAPI seeds an Event API.
func (r *Region) AddEventAPI(id string, d Doc) Doc {
	key := []any{Doc{"authType": "API_KEY"}}
	return r.seed("events", id, Doc{
		"apiId": id, "name": id, "apiArn": r.arn("appsync", "apis/"+id), "dns": Doc{"HTTP": id + ".appsync-api." + r.Name + ".amazonaws.com"},
		"eventConfig": Doc{"authProviders": key, "connectionAuthModes": key, "defaultPublishAuthModes": key, "defaultSubscribeAuthModes": key},
	}, d)
}

// kept are the fields of a GraphQL API that an update cannot touch. All others
// are replaced: what the caller leaves out is reset.
var kept = []string{"apiId", "arn", "apiType", "visibility", "uris", "owner", "tags", "dns", "wafWebAclArn"}

func updateGraphqlAPI(r *Region, q *request) (Doc, error) {
	have, err := r.need("graphql", q.path[2], "NotFoundException")
	if err != nil {
		return nil, err
	}
	if text(q.in, "name") == "" || text(q.in, "authenticationType") == "" {
		return nil, refuse("BadRequestException", "name and authenticationType are required")
	}
	if err := modesAgree(q.in); err != nil {
		return nil, err
	}
	next := Doc{"xrayEnabled": false, "introspectionConfig": "ENABLED", "queryDepthLimit": 0, "resolverCountLimit": 0}
	for _, field := range kept {
		if v, ok := have[field]; ok {
			next[field] = v
		}
	}
	maps.Copy(next, q.in)
	r.table("graphql").put(q.path[2], next)
	return Doc{"graphqlApi": next}, nil
}

// modesAgree holds the rules about which modes may appear together and what
// each needs.
func modesAgree(in Doc) error {
	providers := []Doc{in}
	if list, ok := in["additionalAuthenticationProviders"].([]any); ok {
		for _, item := range list {
			if p, ok := item.(Doc); ok {
				providers = append(providers, p)
			}
		}
	}
	once := map[string]bool{}
	for _, p := range providers {
		mode := text(p, "authenticationType")
		if (mode == "API_KEY" || mode == "AWS_IAM" || mode == "AWS_LAMBDA") && once[mode] {
			return refuse("BadRequestException", "%s may be given only once", mode)
		}
		once[mode] = true
		needs := map[string]string{"AMAZON_COGNITO_USER_POOLS": "userPoolConfig", "OPENID_CONNECT": "openIDConnectConfig", "AWS_LAMBDA": "lambdaAuthorizerConfig"}[mode]
		if needs != "" && p[needs] == nil {
			return refuse("BadRequestException", "%s needs %s", mode, needs)
		}
	}
	return nil
}

func graphqlModes(api Doc) map[string]bool {
	modes := map[string]bool{text(api, "authenticationType"): true}
	if list, ok := api["additionalAuthenticationProviders"].([]any); ok {
		for _, item := range list {
			if p, ok := item.(Doc); ok {
				modes[text(p, "authenticationType")] = true
			}
		}
	}
	return modes
}

func createAPIKey(r *Region, q *request) (Doc, error) {
	id := r.fake.id("da2-")
	d := Doc{"id": id, "expires": r.fake.Now().Add(7 * 24 * time.Hour).Unix()}
	maps.Copy(d, q.in)
	return Doc{"apiKey": r.table(q.under("apikeys")).put(id, d)}, nil
}

func updateAPIKey(r *Region, q *request) (Doc, error) {
	key, err := r.need(q.under("apikeys"), q.path[4], "NotFoundException")
	if err != nil {
		return nil, err
	}
	if v, ok := q.in["expires"]; ok {
		expires := time.Unix(int64(integer(v)), 0)
		ahead := expires.Sub(r.fake.Now())
		if ahead < 23*time.Hour || ahead > 366*24*time.Hour {
			return nil, refuse("ApiKeyValidityOutOfBoundsException", "An API key lives between 1 and 365 days")
		}
		key["expires"] = expires.Truncate(time.Hour).Unix()
	}
	if v, ok := q.in["description"]; ok {
		key["description"] = v
	}
	return Doc{"apiKey": key}, nil
}
