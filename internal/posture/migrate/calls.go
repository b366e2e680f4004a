package migrate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/appsync"
	dms "github.com/aws/aws-sdk-go-v2/service/databasemigrationservice"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/kafka"
)

// caller makes one API call from its input as a plan has it.
type caller func(ctx context.Context, cfg awssdk.Config, input []byte) error

// operation turns a method of an SDK client into a caller. Input that the API
// does not know is refused before anything is sent.
func operation[C, I, O, P any](connect func(awssdk.Config, ...func(*P)) C, call func(C, context.Context, *I, ...func(*P)) (*O, error)) caller {
	return func(ctx context.Context, cfg awssdk.Config, input []byte) error {
		var in I
		decoder := json.NewDecoder(bytes.NewReader(input))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&in); err != nil {
			return fmt.Errorf("reading the call's input: %w", err)
		}
		_, err := call(connect(cfg), ctx, &in)
		return err
	}
}

// calls are all API calls that migrations make. A plan that names another is
// refused: a plan file is data, and cannot make this program do anything else.
var calls = map[string]caller{
	"apigatewayv2:CreateAuthorizer":      operation(apigatewayv2.NewFromConfig, (*apigatewayv2.Client).CreateAuthorizer),
	"apigatewayv2:DeleteAuthorizer":      operation(apigatewayv2.NewFromConfig, (*apigatewayv2.Client).DeleteAuthorizer),
	"apigatewayv2:CreateRoute":           operation(apigatewayv2.NewFromConfig, (*apigatewayv2.Client).CreateRoute),
	"apigatewayv2:UpdateRoute":           operation(apigatewayv2.NewFromConfig, (*apigatewayv2.Client).UpdateRoute),
	"apigatewayv2:DeleteRoute":           operation(apigatewayv2.NewFromConfig, (*apigatewayv2.Client).DeleteRoute),
	"apigatewayv2:UpdateStage":           operation(apigatewayv2.NewFromConfig, (*apigatewayv2.Client).UpdateStage),
	"apigatewayv2:CreateDeployment":      operation(apigatewayv2.NewFromConfig, (*apigatewayv2.Client).CreateDeployment),
	"appsync:UpdateGraphqlApi":           operation(appsync.NewFromConfig, (*appsync.Client).UpdateGraphqlApi),
	"appsync:UpdateApiKey":               operation(appsync.NewFromConfig, (*appsync.Client).UpdateApiKey),
	"appsync:DeleteApiKey":               operation(appsync.NewFromConfig, (*appsync.Client).DeleteApiKey),
	"appsync:CreateApiKey":               operation(appsync.NewFromConfig, (*appsync.Client).CreateApiKey),
	"kafka:UpdateSecurity":               operation(kafka.NewFromConfig, (*kafka.Client).UpdateSecurity),
	"kafka:BatchAssociateScramSecret":    operation(kafka.NewFromConfig, (*kafka.Client).BatchAssociateScramSecret),
	"dms:StopReplicationTask":            operation(dms.NewFromConfig, (*dms.Client).StopReplicationTask),
	"dms:StartReplicationTask":           operation(dms.NewFromConfig, (*dms.Client).StartReplicationTask),
	"dms:ModifyEndpoint":                 operation(dms.NewFromConfig, (*dms.Client).ModifyEndpoint),
	"dms:TestConnection":                 operation(dms.NewFromConfig, (*dms.Client).TestConnection),
	"elasticache:ModifyReplicationGroup": operation(elasticache.NewFromConfig, (*elasticache.Client).ModifyReplicationGroup),
	"elasticache:ModifyCacheCluster":     operation(elasticache.NewFromConfig, (*elasticache.Client).ModifyCacheCluster),
	"elasticache:ModifyServerlessCache":  operation(elasticache.NewFromConfig, (*elasticache.Client).ModifyServerlessCache),
	"elasticache:IncreaseReplicaCount":   operation(elasticache.NewFromConfig, (*elasticache.Client).IncreaseReplicaCount),
	"elasticache:CreateUser":             operation(elasticache.NewFromConfig, (*elasticache.Client).CreateUser),
	"elasticache:DeleteUser":             operation(elasticache.NewFromConfig, (*elasticache.Client).DeleteUser),
	"elasticache:CreateUserGroup":        operation(elasticache.NewFromConfig, (*elasticache.Client).CreateUserGroup),
	"elasticache:ModifyUserGroup":        operation(elasticache.NewFromConfig, (*elasticache.Client).ModifyUserGroup),
	"elasticache:DeleteUserGroup":        operation(elasticache.NewFromConfig, (*elasticache.Client).DeleteUserGroup),
	"elasticache:CreateSnapshot":         operation(elasticache.NewFromConfig, (*elasticache.Client).CreateSnapshot),
}

// plainInput writes an SDK structure as a plan's input: only what is set.
func plainInput(v any) (map[string]any, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("writing the call's input: %w", err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("writing the call's input: %w", err)
	}
	pruned, _ := prune(m).(map[string]any)
	return pruned, nil
}

// prune drops what is null, empty text or an empty object, which an SDK
// structure holds for everything that nobody set.
func prune(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k, item := range x {
			item = prune(item)
			if m, ok := item.(map[string]any); item == nil || item == "" || (ok && len(m) == 0) {
				delete(x, k)
				continue
			}
			x[k] = item
		}
		return x
	case []any:
		for i := range x {
			x[i] = prune(x[i])
		}
		return x
	}
	return v
}
