package aws

import (
	"context"
	"slices"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"github.com/gatehouse/gatehouse/internal/posture"
)

// notOffered lists, per AWS Config rule, the regions in which AWS does not offer
// it (the "AWS Region" line of each rule's page in the AWS Config guide).
var notOffered = func() map[string][]string {
	young := []string{
		"us-gov-east-1", "us-gov-west-1", "eu-central-2", "eu-south-2", "ap-south-2", "ap-southeast-4", "ap-southeast-3", "me-central-1",
		"il-central-1", "ca-west-1", "mx-central-1", "ap-southeast-5", "ap-southeast-7", "ap-east-2", "ap-southeast-6",
	}
	caches := slices.Clone(young)
	return map[string][]string{
		"api-gwv2-authorization-type-configured":           young,
		"elasticache-redis-cluster-automatic-backup-check": caches,
		"elasticache-auto-minor-version-upgrade-check":     caches,
		"elasticache-repl-grp-auto-failover-enabled":       caches,
		"elasticache-repl-grp-encrypted-at-rest":           caches,
		"elasticache-repl-grp-encrypted-in-transit":        caches,
		"elasticache-repl-grp-redis-auth-enabled":          caches,
		"elasticache-subnet-group-check":                   append(slices.Clone(young), "ap-northeast-3"),
		"appsync-authorization-check":                      {"us-gov-east-1", "us-gov-west-1", "ap-southeast-4", "il-central-1", "ca-west-1", "mx-central-1"},
		"dms-mongo-db-authentication-enabled":              {"cn-north-1", "cn-northwest-1", "me-central-1", "ap-south-2", "ap-southeast-4", "eu-central-2", "eu-south-2", "ca-west-1"},
		"msk-unrestricted-access-check":                    {"il-central-1", "ca-west-1", "mx-central-1", "ap-southeast-7", "ap-southeast-5", "ap-east-2", "ap-southeast-6"},
	}
}()

// readConfig asks whether AWS Config records and evaluates each control's rule
// here. What it may not see stays unknown.
func (s *scope) readConfig(ctx context.Context) {
	client := configservice.NewFromConfig(s.cfg)
	recorders, err := client.DescribeConfigurationRecorders(ctx, &configservice.DescribeConfigurationRecordersInput{})
	if err != nil {
		s.failed("config:DescribeConfigurationRecorders", "", err, posture.KindConfigRule)
		return
	}
	running := posture.Flag(false)
	if len(recorders.ConfigurationRecorders) > 0 {
		status, err := client.DescribeConfigurationRecorderStatus(ctx, &configservice.DescribeConfigurationRecorderStatusInput{})
		if err != nil {
			s.failed("config:DescribeConfigurationRecorderStatus", "", err, posture.KindConfigRule)
			return
		}
		running = posture.Flag(slices.ContainsFunc(status.ConfigurationRecordersStatus, func(r types.ConfigurationRecorderStatus) bool { return r.Recording }))
	}
	rules, err := listing(func(next *string) ([]types.ConfigRule, *string, error) {
		out, err := client.DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{NextToken: next})
		if err != nil {
			return nil, nil, err
		}
		return out.ConfigRules, out.NextToken, nil
	})
	if err != nil {
		s.failed("config:DescribeConfigRules", "", err, posture.KindConfigRule)
		return
	}
	present := map[string]bool{}
	for _, r := range rules {
		if r.Source != nil && r.ConfigRuleState == types.ConfigRuleStateActive {
			present[identifier(awssdk.ToString(r.Source.SourceIdentifier))] = true
		}
	}
	for _, control := range posture.Catalogue() {
		if control.ConfigRule == "" {
			continue
		}
		r := s.resource(posture.KindConfigRule, s.arn("config", "config-rule/"+control.ConfigRule), control.ID)
		r.Set(posture.RecorderRunning, running).Set(posture.RulePresent, posture.Flag(present[identifier(control.ConfigRule)])).
			Set(posture.RuleOffered, posture.Flag(!slices.Contains(notOffered[control.ConfigRule], s.region))).
			Set(posture.TypeRecorded, posture.Flag(control.Schedule == posture.Periodic || recorded(recorders.ConfigurationRecorders, control.Kinds[0])))
		s.add(r)
	}
}

// identifier makes a rule's name and a managed rule's identifier comparable.
func identifier(rule string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(rule))
}

// recorded reports whether a recorder covers a resource type. Only rules that
// changes trigger need it: a periodic rule reads the service itself.
func recorded(recorders []types.ConfigurationRecorder, kind posture.Kind) bool {
	return slices.ContainsFunc(recorders, func(r types.ConfigurationRecorder) bool {
		g := r.RecordingGroup
		if g == nil || g.AllSupported {
			return true
		}
		if g.RecordingStrategy != nil && g.RecordingStrategy.UseOnly == types.RecordingStrategyTypeExclusionByResourceTypes {
			return g.ExclusionByResourceTypes == nil || !slices.Contains(g.ExclusionByResourceTypes.ResourceTypes, types.ResourceType(kind))
		}
		return slices.Contains(g.ResourceTypes, types.ResourceType(kind))
	})
}
