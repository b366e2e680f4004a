package fakeaws

import (
	"maps"
	"strings"
)

var kafkaHandlers = map[string]handler{
	"ListClustersV2":   func(r *Region, q *request) (Doc, error) { return r.kafkaPage(q, "clusters", "clusterInfoList") },
	"ListScramSecrets": listScramSecrets,
	"DescribeClusterV2": func(r *Region, q *request) (Doc, error) {
		d, err := r.need("clusters", q.path[3], "NotFoundException")
		if err != nil {
			return nil, err
		}
		return Doc{"clusterInfo": seen(d)}, nil
	},
	"ListNodes": func(r *Region, q *request) (Doc, error) {
		if _, err := r.need("clusters", q.path[2], "NotFoundException"); err != nil {
			return nil, err
		}
		return r.kafkaPage(q, q.under("nodes"), "nodeInfoList")
	},
	"DescribeClusterOperationV2": func(r *Region, q *request) (Doc, error) {
		d, err := r.need("operations", q.path[3], "NotFoundException")
		return Doc{"clusterOperationInfo": d}, err
	},
	"GetBootstrapBrokers":       bootstrapBrokers,
	"BatchAssociateScramSecret": associateSecrets,
	"UpdateSecurity":            updateSecurity,
}

// kafkaPageLimit is the most clusters MSK puts on a page.
const kafkaPageLimit = 100

func (r *Region) kafkaPage(q *request, name, field string) (Doc, error) {
	items, next, err := r.page(name, r.table(name).list(), text(q.in, "nextToken"), limit(q.in["maxResults"], 20, kafkaPageLimit))
	if err != nil {
		return nil, err
	}
	out := Doc{field: items}
	if next != "" {
		out["nextToken"] = next
	}
	return out, nil
}

// AddCluster seeds a provisioned cluster that lets everybody in over TLS, and
// returns its ARN.
func (r *Region) AddCluster(name string, provisioned Doc) string {
	p := Doc{
		"numberOfBrokerNodes": 3,
		"brokerNodeGroupInfo": Doc{
			"clientSubnets": []any{"subnet-1"}, "instanceType": "kafka.m5.large",
			"connectivityInfo": Doc{"publicAccess": Doc{"type": "DISABLED"}},
		},
		"clientAuthentication": Doc{"unauthenticated": Doc{"enabled": true}},
		"encryptionInfo":       Doc{"encryptionInTransit": Doc{"clientBroker": "TLS", "inCluster": true}},
	}
	maps.Copy(p, provisioned)
	arn := r.arn("kafka", "cluster/"+name+"/0000-1")
	r.seed("clusters", arn, Doc{
		"clusterArn": arn, "clusterName": name, "clusterType": "PROVISIONED", "state": "ACTIVE",
		"currentVersion": "K1", "provisioned": p,
	}, nil)
	return arn
}

// AddServerlessCluster seeds a serverless cluster and returns its ARN.
func (r *Region) AddServerlessCluster(name string) string {
	arn := r.arn("kafka", "cluster/"+name+"/0000-s")
	r.seed("clusters", arn, Doc{
		"clusterArn": arn, "clusterName": name, "clusterType": "SERVERLESS", "state": "ACTIVE", "currentVersion": "K1",
		"serverless": Doc{"clientAuthentication": Doc{"sasl": Doc{"iam": Doc{"enabled": true}}}},
	}, nil)
	return arn
}

// AddBroker seeds a broker's network interface.
func (r *Region) AddBroker(cluster, eni string) {
	r.seed("nodes/"+cluster, eni, Doc{"nodeType": "BROKER", "brokerNodeInfo": Doc{"attachedENIId": eni}}, nil)
}

func bootstrapBrokers(r *Region, q *request) (Doc, error) {
	c, err := r.need("clusters", q.path[2], "NotFoundException")
	if err != nil {
		return nil, err
	}
	host := "b-1." + text(c, "clusterName") + ".kafka." + r.Name + ".amazonaws.com:"
	if c["serverless"] != nil {
		return Doc{"bootstrapBrokerStringSaslIam": host + "9098"}, nil
	}
	p, _ := c["provisioned"].(Doc)
	out := Doc{}
	transport, _ := dig(p, "encryptionInfo", "encryptionInTransit", "clientBroker").(string)
	open := yes(p, "clientAuthentication", "unauthenticated", "enabled")
	iam, scram, tls := yes(p, "clientAuthentication", "sasl", "iam", "enabled"), yes(p, "clientAuthentication", "sasl", "scram", "enabled"), yes(p, "clientAuthentication", "tls", "enabled")
	none := !open && !iam && !scram && !tls
	if strings.Contains(transport, "PLAINTEXT") {
		out["bootstrapBrokerString"] = host + "9092"
	}
	if strings.HasPrefix(transport, "TLS") && (open || none || tls) {
		out["bootstrapBrokerStringTls"] = host + "9094"
	}
	if iam {
		out["bootstrapBrokerStringSaslIam"] = host + "9098"
	}
	if scram {
		out["bootstrapBrokerStringSaslScram"] = host + "9096"
	}
	return out, nil
}

func listScramSecrets(r *Region, q *request) (Doc, error) {
	var items []Doc
	for _, arn := range r.table("scram/" + q.path[2]).order {
		items = append(items, Doc{"arn": arn})
	}
	page, next, err := r.page(q.under("scram"), items, text(q.in, "nextToken"), limit(q.in["maxResults"], 100, 100))
	if err != nil {
		return nil, err
	}
	arns := []any{}
	for _, d := range page {
		arns = append(arns, d["arn"])
	}
	out := Doc{"secretArnList": arns}
	if next != "" {
		out["nextToken"] = next
	}
	return out, nil
}

func associateSecrets(r *Region, q *request) (Doc, error) {
	c, err := r.need("clusters", q.path[2], "NotFoundException")
	if err != nil {
		return nil, err
	}
	bad := []any{}
	for _, arn := range texts(q.in["secretArnList"]) {
		if !strings.Contains(arn, ":secret:AmazonMSK_") {
			bad = append(bad, Doc{"secretArn": arn, "errorCode": "InvalidSecretArn", "errorMessage": "The name of the secret must begin with AmazonMSK_"})
			continue
		}
		r.table("scram/"+q.path[2]).put(arn, Doc{"arn": arn})
	}
	return Doc{"clusterArn": c["clusterArn"], "unprocessedScramSecrets": bad}, nil
}

// updateSecurity replaces the authentication block whole: what the caller leaves
// out is off. The version must be the current one, and the cluster restarts its
// brokers before it is ACTIVE again.
func updateSecurity(r *Region, q *request) (Doc, error) {
	c, err := r.need("clusters", q.path[2], "NotFoundException")
	if err != nil {
		return nil, err
	}
	if text(c, "state") != "ACTIVE" {
		return nil, refuse("BadRequestException", "You can't update the cluster in its current state: %v", c["state"])
	}
	if q.in["currentVersion"] != c["currentVersion"] {
		return nil, refuse("BadRequestException", "The version of the cluster specified in the request doesn't match the current version")
	}
	p, ok := c["provisioned"].(Doc)
	if !ok {
		return nil, refuse("BadRequestException", "The operation is not supported for a serverless cluster")
	}
	next := maps.Clone(p)
	if auth, ok := q.in["clientAuthentication"].(Doc); ok {
		next["clientAuthentication"] = auth
	}
	if enc, ok := dig(q.in, "encryptionInfo", "encryptionInTransit").(Doc); ok {
		merged := maps.Clone(dig(p, "encryptionInfo", "encryptionInTransit").(Doc))
		if in, given := enc["inCluster"]; given && in != merged["inCluster"] {
			return nil, refuse("BadRequestException", "The inCluster encryption setting can't be changed")
		}
		maps.Copy(merged, enc)
		next["encryptionInfo"] = Doc{"encryptionInTransit": merged}
	}
	if err := securityAllowed(p, next); err != nil {
		return nil, err
	}
	operation := r.arn("kafka", "cluster-operation/"+text(c, "clusterName")+"/"+r.fake.id("op"))
	r.table("operations").put(operation, Doc{"operationArn": operation, "operationState": "UPDATE_IN_PROGRESS", "clusterArn": c["clusterArn"]})
	c["state"], c["activeOperationArn"] = "UPDATING", operation
	r.begin(c, func(c Doc) {
		c["provisioned"], c["state"], c["currentVersion"] = next, "ACTIVE", r.fake.id("K")
		delete(c, "activeOperationArn")
		r.table("operations").byID[operation]["operationState"] = "UPDATE_COMPLETE"
	})
	return Doc{"clusterArn": c["clusterArn"], "clusterOperationArn": operation}, nil
}

func securityAllowed(have, next Doc) error {
	transport, _ := dig(next, "encryptionInfo", "encryptionInTransit", "clientBroker").(string)
	before, _ := dig(have, "encryptionInfo", "encryptionInTransit", "clientBroker").(string)
	iam, scram := yes(next, "clientAuthentication", "sasl", "iam", "enabled"), yes(next, "clientAuthentication", "sasl", "scram", "enabled")
	tls, open := yes(next, "clientAuthentication", "tls", "enabled"), yes(next, "clientAuthentication", "unauthenticated", "enabled")
	switch {
	case before == "PLAINTEXT" && transport == "TLS":
		return refuse("BadRequestException", "Change to TLS_PLAINTEXT first")
	case (iam || scram || tls) && !yes(next, "encryptionInfo", "encryptionInTransit", "inCluster"):
		return refuse("BadRequestException", "Encryption within the cluster must be on to use authentication")
	case (iam || scram) && transport == "PLAINTEXT":
		return refuse("BadRequestException", "SASL needs TLS between clients and brokers")
	case (iam || scram) && transport == "TLS_PLAINTEXT" && !open:
		return refuse("BadRequestException", "SASL with TLS_PLAINTEXT needs unauthenticated access")
	case !iam && !scram && !tls && !open:
		return refuse("BadRequestException", "At least one authentication method must be on")
	}
	return nil
}
