package fakeaws

import "maps"

var dmsHandlers = map[string]handler{
	"DescribeEndpoints":        func(r *Region, q *request) (Doc, error) { return r.dmsPage(q, "endpoints", "Endpoints") },
	"DescribeReplicationTasks": func(r *Region, q *request) (Doc, error) { return r.dmsPage(q, "tasks", "ReplicationTasks") },
	"DescribeConnections":      func(r *Region, q *request) (Doc, error) { return r.dmsPage(q, "connections", "Connections") },
	"DescribeReplicationInstances": func(_ *Region, _ *request) (Doc, error) {
		return Doc{"ReplicationInstances": []Doc{}}, nil
	},
	"ModifyEndpoint":       modifyEndpoint,
	"TestConnection":       testConnection,
	"StopReplicationTask":  func(r *Region, q *request) (Doc, error) { return r.moveTask(q, "running", "stopping", "stopped") },
	"StartReplicationTask": func(r *Region, q *request) (Doc, error) { return r.moveTask(q, "stopped", "starting", "running") },
}

// AddEndpoint seeds an endpoint of a MongoDB that wants no password, and returns
// its ARN.
func (r *Region) AddEndpoint(id string, d Doc) string {
	arn := r.arn("dms", "endpoint:"+id)
	r.seed("endpoints", arn, Doc{
		"EndpointArn": arn, "EndpointIdentifier": id, "EngineName": "mongodb", "EndpointType": "SOURCE",
		"Status": "active", "SslMode": "none", "ServerName": "mongo.internal", "Port": 27017, "DatabaseName": "orders",
		"MongoDbSettings": Doc{"AuthType": "no", "AuthMechanism": "default", "NestingLevel": "none", "ServerName": "mongo.internal", "Port": 27017, "DatabaseName": "orders"},
	}, d)
	return arn
}

// AddTask seeds a running replication task and returns its ARN.
func (r *Region) AddTask(id, source, target string, d Doc) string {
	arn := r.arn("dms", "task:"+id)
	r.seed("tasks", arn, Doc{
		"ReplicationTaskArn": arn, "ReplicationTaskIdentifier": id, "SourceEndpointArn": source, "TargetEndpointArn": target,
		"ReplicationInstanceArn": r.arn("dms", "rep:one"), "Status": "running", "MigrationType": "cdc",
	}, d)
	return arn
}

func (r *Region) dmsPage(q *request, name, field string) (Doc, error) {
	var items []Doc
	for _, d := range r.table(name).list() {
		if dmsFits(q.in["Filters"], d) {
			items = append(items, seen(d))
		}
	}
	page, next, err := r.page(name, items, text(q.in, "Marker"), limit(q.in["MaxRecords"], 100, 100))
	if err != nil {
		return nil, err
	}
	if page == nil {
		page = []Doc{}
	}
	out := Doc{field: page}
	if next != "" {
		out["Marker"] = next
	}
	return out, nil
}

// dmsFits applies DMS's filters: every filter must match one of its values.
func dmsFits(filters any, d Doc) bool {
	list, ok := filters.([]any)
	if !ok {
		return true
	}
	for _, item := range list {
		filter, _ := item.(Doc)
		hit := false
		for _, want := range texts(filter["Values"]) {
			switch text(filter, "Name") {
			case "engine-name":
				hit = hit || d["EngineName"] == want
			case "endpoint-arn":
				hit = hit || d["EndpointArn"] == want || d["SourceEndpointArn"] == want || d["TargetEndpointArn"] == want
			case "replication-task-arn":
				hit = hit || d["ReplicationTaskArn"] == want
			case "replication-instance-arn":
				hit = hit || d["ReplicationInstanceArn"] == want
			}
		}
		if !hit {
			return false
		}
	}
	return true
}

func modifyEndpoint(r *Region, q *request) (Doc, error) {
	e, err := r.need("endpoints", text(q.in, "EndpointArn"), "ResourceNotFoundFault")
	if err != nil {
		return nil, err
	}
	for _, task := range r.table("tasks").list() {
		uses := task["SourceEndpointArn"] == e["EndpointArn"] || task["TargetEndpointArn"] == e["EndpointArn"]
		if uses && text(task, "Status") != "stopped" && text(task, "Status") != "failed" {
			return nil, refuse("InvalidResourceStateFault", "The endpoint is in use by the %v replication task %v", task["Status"], task["ReplicationTaskIdentifier"])
		}
	}
	settings, _ := q.in["MongoDbSettings"].(Doc)
	if (text(settings, "Password") != "" || text(q.in, "Password") != "") && text(settings, "SecretsManagerSecretId") != "" {
		return nil, refuse("InvalidParameterCombinationException", "Give a password or a Secrets Manager secret, not both")
	}
	merged, _ := e["MongoDbSettings"].(Doc)
	merged = maps.Clone(merged)
	if merged == nil {
		merged = Doc{}
	}
	maps.Copy(merged, settings)
	if text(settings, "Password") != "" || text(q.in, "Password") != "" {
		merged["_password"] = true
		delete(merged, "Password")
	}
	next := maps.Clone(e)
	for k, v := range q.in {
		if k != "Password" && k != "MongoDbSettings" {
			next[k] = v
		}
	}
	next["MongoDbSettings"] = merged
	r.table("endpoints").put(text(e, "EndpointArn"), next)
	return Doc{"Endpoint": next}, nil
}

// testConnection succeeds when the endpoint offers what the server behind it
// wants; "_requiresAuth" on the endpoint says that its MongoDB wants a password.
func testConnection(r *Region, q *request) (Doc, error) {
	e, err := r.need("endpoints", text(q.in, "EndpointArn"), "ResourceNotFoundFault")
	if err != nil {
		return nil, err
	}
	id := text(q.in, "EndpointArn") + "|" + text(q.in, "ReplicationInstanceArn")
	c := r.table("connections").put(id, Doc{
		"EndpointArn": e["EndpointArn"], "ReplicationInstanceArn": q.in["ReplicationInstanceArn"],
		"EndpointIdentifier": e["EndpointIdentifier"], "Status": "testing",
	})
	r.begin(c, func(c Doc) {
		settings, _ := e["MongoDbSettings"].(Doc)
		credential := text(settings, "AuthType") == "password" && (truth(settings, "_password") || text(settings, "SecretsManagerSecretId") != "")
		c["Status"] = "successful"
		if truth(e, "_requiresAuth") && !credential {
			c["Status"], c["LastFailureMessage"] = "failed", "Authentication failed."
		}
		if text(settings, "AuthType") == "password" && !credential {
			c["Status"], c["LastFailureMessage"] = "failed", "No credential is configured."
		}
	})
	return Doc{"Connection": maps.Clone(c)}, nil
}

func (r *Region) moveTask(q *request, from, through, to string) (Doc, error) {
	t, err := r.need("tasks", text(q.in, "ReplicationTaskArn"), "ResourceNotFoundFault")
	if err != nil {
		return nil, err
	}
	if text(t, "Status") != from {
		return nil, refuse("InvalidResourceStateFault", "The replication task is %v, not %s", t["Status"], from)
	}
	t["Status"] = through
	r.begin(t, func(t Doc) { t["Status"] = to })
	return Doc{"ReplicationTask": t}, nil
}
