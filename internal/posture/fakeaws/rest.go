package fakeaws

import "strings"

// AddRESTAPI seeds a REST API; each method is "VERB /path" and its authorization
// type.
func (r *Region) AddRESTAPI(id string, d Doc, methods map[string]string) {
	r.seed("restapis", id, Doc{"id": id, "name": id, "endpointConfiguration": Doc{"types": []string{"EDGE"}}}, d)
	verbs := map[string]Doc{}
	for key, kind := range methods {
		verb, path, _ := strings.Cut(key, " ")
		if verbs[path] == nil {
			verbs[path] = Doc{}
		}
		verbs[path][verb] = Doc{"httpMethod": verb, "authorizationType": kind, "apiKeyRequired": false}
	}
	for path, methods := range verbs {
		r.seed("restresources/"+id, path, Doc{"id": "r" + strings.ReplaceAll(path, "/", "-"), "path": path, "resourceMethods": methods}, nil)
	}
}

// getRESTResources shows methods in full only when asked to embed them, as the
// service does.
func getRESTResources(r *Region, q *request) (Doc, error) {
	if _, err := r.need("restapis", q.path[1], "NotFoundException"); err != nil {
		return nil, err
	}
	out, err := r.restPage(q, "restresources/"+q.path[1])
	if err != nil || text(q.in, "embed") == "methods" {
		return out, err
	}
	var bare []Doc
	for _, item := range out["item"].([]Doc) {
		verbs := Doc{}
		for verb := range item["resourceMethods"].(Doc) {
			verbs[verb] = Doc{}
		}
		bare = append(bare, Doc{"id": item["id"], "path": item["path"], "resourceMethods": verbs})
	}
	out["item"] = bare
	return out, nil
}

func (r *Region) restPage(q *request, name string) (Doc, error) {
	items, next, err := r.page(name, r.table(name).list(), text(q.in, "position"), limit(q.in["limit"], 25, pageLimit))
	if err != nil {
		return nil, err
	}
	out := Doc{"item": items}
	if next != "" {
		out["position"] = next
	}
	return out, nil
}

var taggingHandlers = map[string]handler{
	"GetResources": func(r *Region, q *request) (Doc, error) {
		items, next, err := r.page("tags", r.table("tags").list(), text(q.in, "PaginationToken"), limit(q.in["ResourcesPerPage"], 50, 100))
		if err != nil {
			return nil, err
		}
		// The service ends its lists with an empty token.
		return Doc{"ResourceTagMappingList": items, "PaginationToken": next}, nil
	},
}

// Tag gives a DMS endpoint or a cache tags; their own lists do not show them.
func (r *Region) Tag(arn string, tags map[string]string) {
	var pairs []Doc
	for key, value := range tags {
		pairs = append(pairs, Doc{"Key": key, "Value": value})
	}
	r.seed("tags", arn, Doc{"ResourceARN": arn, "Tags": pairs}, nil)
}
