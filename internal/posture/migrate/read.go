package migrate

import (
	"context"
	"fmt"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/gatehouse/gatehouse/internal/posture"
)

// target is what a reader reads: the resource and what the plan watches.
type target struct {
	arn   string
	watch Watch
}

// configReader reads the configuration of one kind of resource.
type configReader func(ctx context.Context, cfg awssdk.Config, t target) (Configuration, error)

var configReaders = map[posture.Kind]configReader{
	posture.KindRoute:            readRoute,
	posture.KindGraphQLAPI:       readGraphQL,
	posture.KindMSKCluster:       readCluster,
	posture.KindDMSEndpoint:      readEndpoint,
	posture.KindReplicationGroup: readGroup,
	posture.KindServerlessCache:  readServerless,
	posture.KindCacheCluster:     readNode,
}

func (r *Runner) read(ctx context.Context) (Configuration, error) {
	conf, err := configReaders[r.Plan.Type](ctx, r.Config, target{r.Plan.Resource, r.Plan.Watch})
	if err != nil {
		return conf, fmt.Errorf("reading %s: %w", r.Plan.Resource, err)
	}
	return conf, nil
}

// kindOf tells a resource's kind from its ARN.
func kindOf(arn string) (posture.Kind, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return "", fmt.Errorf("%q is not an ARN: take it from the audit's RESOURCE column", arn)
	}
	rest := parts[5]
	switch {
	case parts[2] == "apigateway" && strings.Contains(rest, "/routes/"):
		return posture.KindRoute, nil
	case parts[2] == "appsync":
		return posture.KindGraphQLAPI, nil
	case parts[2] == "kafka":
		return posture.KindMSKCluster, nil
	case parts[2] == "dms" && strings.HasPrefix(rest, "endpoint:"):
		return posture.KindDMSEndpoint, nil
	case parts[2] == "elasticache" && strings.HasPrefix(rest, "replicationgroup:"):
		return posture.KindReplicationGroup, nil
	case parts[2] == "elasticache" && strings.HasPrefix(rest, "serverlesscache:"):
		return posture.KindServerlessCache, nil
	case parts[2] == "elasticache" && strings.HasPrefix(rest, "cluster:"):
		return posture.KindCacheCluster, nil
	}
	return "", fmt.Errorf("%s is not a kind of resource that migrations know", arn)
}

// lastPart is what follows the last of the separators in an ARN.
func lastPart(arn, separator string) string { return arn[strings.LastIndex(arn, separator)+1:] }

// routeOf takes the API and the route out of a route's ARN.
func routeOf(arn string) (api, route string) {
	_, rest, _ := strings.Cut(arn, "/apis/")
	api, route, _ = strings.Cut(rest, "/routes/")
	return api, route
}

// fieldsOf writes an SDK structure as configuration fields.
func fieldsOf(v any) (map[string]any, error) { return plainInput(v) }
