package elasticache

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/gatehouse/gatehouse/internal/awsapi"
)

// conditions are ElastiCache's own condition keys: what a request asks for
// (ElastiCache User Guide, "Using condition keys").
func conditions(in any) map[string][]string {
	k := keys{}
	switch in := in.(type) {
	case *sdk.CreateUserInput:
		k.authenticationMode(in.AuthenticationMode, in.NoPasswordRequired, in.Passwords)
	case *sdk.ModifyUserInput:
		k.authenticationMode(in.AuthenticationMode, in.NoPasswordRequired, in.Passwords)
	case *sdk.CreateReplicationGroupInput:
		k.text("EngineType", strings.ToLower(aws.ToString(in.Engine)))
		k.text("EngineVersion", aws.ToString(in.EngineVersion))
		k.text("CacheNodeType", aws.ToString(in.CacheNodeType))
		k.text("CacheParameterGroupName", aws.ToString(in.CacheParameterGroupName))
		k.text("KmsKeyId", aws.ToString(in.KmsKeyId))
		k.text("ClusterModeEnabled", strconv.FormatBool(aws.ToInt32(in.NumNodeGroups) > 1))
		k.text("AuthTokenEnabled", strconv.FormatBool(in.AuthToken != nil))
		k.flag("TransitEncryptionEnabled", in.TransitEncryptionEnabled)
		k.flag("AtRestEncryptionEnabled", in.AtRestEncryptionEnabled)
		k.flag("AutomaticFailoverEnabled", in.AutomaticFailoverEnabled)
		k.flag("MultiAZEnabled", in.MultiAZEnabled)
	case *sdk.ModifyReplicationGroupInput:
		k.text("EngineType", strings.ToLower(aws.ToString(in.Engine)))
		k.text("EngineVersion", aws.ToString(in.EngineVersion))
		k.text("CacheNodeType", aws.ToString(in.CacheNodeType))
		k.text("CacheParameterGroupName", aws.ToString(in.CacheParameterGroupName))
		if in.AuthToken != nil || in.AuthTokenUpdateStrategy != "" {
			k.text("AuthTokenEnabled", strconv.FormatBool(in.AuthTokenUpdateStrategy != types.AuthTokenUpdateStrategyTypeDelete))
		}
		k.flag("TransitEncryptionEnabled", in.TransitEncryptionEnabled)
		k.flag("AutomaticFailoverEnabled", in.AutomaticFailoverEnabled)
		k.flag("MultiAZEnabled", in.MultiAZEnabled)
	}
	return k
}

// needsTagging is the action that tags at creation need (ElastiCache User Guide,
// "Tagging your ElastiCache resources": permissions to tag on create).
func needsTagging(in any) awsapi.Action {
	if _, only := in.(*sdk.AddTagsToResourceInput); only {
		return ""
	}
	if tags := reflect.ValueOf(in).Elem().FieldByName("Tags"); !tags.IsValid() || tags.Len() == 0 {
		return ""
	}
	return "elasticache:AddTagsToResource"
}

// keys are condition keys by name.
type keys map[string][]string

func (k keys) text(name, value string) {
	if value != "" {
		k["elasticache:"+name] = []string{value}
	}
}

func (k keys) flag(name string, value *bool) {
	if value != nil {
		k.text(name, strconv.FormatBool(*value))
	}
}

// authenticationMode is elasticache:UserAuthenticationMode, whichever way the
// request says it.
func (k keys) authenticationMode(mode *types.AuthenticationMode, none *bool, passwords []string) {
	switch {
	case mode != nil:
		k.text("UserAuthenticationMode", string(mode.Type))
	case aws.ToBool(none):
		k.text("UserAuthenticationMode", string(types.InputAuthenticationTypeNoPassword))
	case len(passwords) > 0 || none != nil:
		k.text("UserAuthenticationMode", string(types.InputAuthenticationTypePassword))
	}
}
