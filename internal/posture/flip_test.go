package posture_test

import (
	"fmt"
	"testing"

	"github.com/gatehouse/gatehouse/internal/posture"
)

// sound is a resource of each kind that passes every control that is about it.
func sound() []posture.Resource {
	base := func(kind posture.Kind, attrs posture.Attributes) posture.Resource {
		return posture.Resource{Kind: kind, ID: "r", Location: posture.Location{Origin: posture.OriginCloudFormation, File: "t", Line: 1}, Attributes: attrs, Otherwise: posture.Absent()}
	}
	return []posture.Resource{
		base(posture.KindRoute, posture.Attributes{
			posture.RouteKey: posture.Text("$default"), posture.ProtocolType: posture.Text("HTTP"), posture.AuthorizationType: posture.Text("JWT"), posture.AuthorizerID: posture.Text("a"),
		}),
		base(posture.KindRESTMethod, posture.Attributes{posture.RouteKey: posture.Text("GET /"), posture.AuthorizationType: posture.Text("AWS_IAM")}),
		base(posture.KindGraphQLAPI, posture.Attributes{posture.AuthenticationType: posture.Text("AWS_IAM"), posture.AdditionalAuthenticationTypes: posture.List([]string{"AWS_LAMBDA"})}),
		base(posture.KindEventAPI, posture.Attributes{posture.ConnectionAuthModes: posture.List([]string{"AWS_IAM"})}),
		base(posture.KindDMSEndpoint, posture.Attributes{posture.EngineName: posture.Text("mongodb"), posture.MongoDBSettings: posture.Flag(true), posture.AuthType: posture.Text("password")}),
		base(posture.KindMSKCluster, posture.Attributes{
			posture.ClientAuthentication: posture.Flag(true), posture.Unauthenticated: posture.Flag(false), posture.SASLIAM: posture.Flag(true), posture.ClientBroker: posture.Text("TLS"),
		}),
		base(posture.KindReplicationGroup, posture.Attributes{
			posture.Engine: posture.Text("redis"), posture.EngineVersion: posture.Text("5.0.6"), posture.AuthToken: posture.Secret(), posture.TransitEncryptionEnabled: posture.Flag(true),
			posture.AtRestEncryptionEnabled: posture.Flag(true), posture.AutomaticFailover: posture.Text("enabled"), posture.SnapshotRetentionLimit: posture.Number(7),
			posture.CacheSubnetGroupName: posture.Text("mine"), posture.AuthTokenIntroduced: posture.Flag(false),
		}),
		base(posture.KindReplicationGroup, posture.Attributes{
			posture.Engine: posture.Text("valkey"), posture.EngineVersion: posture.Text("8.0"), posture.UserGroupIDs: posture.List([]string{"g"}), posture.DefaultUserOpen: posture.Flag(false),
			posture.TransitEncryptionEnabled: posture.Flag(true), posture.AtRestEncryptionEnabled: posture.Flag(true), posture.AutomaticFailover: posture.Text("enabled"),
			posture.SnapshotRetentionLimit: posture.Number(7), posture.CacheSubnetGroupName: posture.Text("mine"),
		}),
		base(posture.KindServerlessCache, posture.Attributes{posture.Engine: posture.Text("valkey"), posture.UserGroupIDs: posture.List([]string{"g"}), posture.DefaultUserOpen: posture.Flag(false)}),
		base(posture.KindConfigRule, posture.Attributes{posture.RecorderRunning: posture.Flag(true), posture.TypeRecorded: posture.Flag(true), posture.RulePresent: posture.Flag(true)}),
	}
}

func verdicts(t *testing.T, resource posture.Resource) map[string]posture.Verdict {
	t.Helper()
	findings, err := posture.Evaluate(posture.Inventory{Resources: []posture.Resource{resource}}, posture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]posture.Verdict{}
	for _, f := range findings {
		out[f.Control] = f.Verdict
	}
	return out
}

// TestFlippingOneAttributeFlipsItsVerdict opens each sound resource in one way
// and checks that exactly the named controls turn bad, and no other one changes.
func TestFlippingOneAttributeFlipsItsVerdict(t *testing.T) {
	flips := []struct {
		kind      posture.Kind
		engine    string // of a cache
		attribute posture.Attribute
		value     posture.Value
		turn      []string
	}{
		{posture.KindRoute, "", posture.AuthorizationType, posture.Text("NONE"), []string{"APIGateway.8", "Gatehouse.7"}},
		{posture.KindRESTMethod, "", posture.AuthorizationType, posture.Text("NONE"), []string{"Gatehouse.8"}},
		{posture.KindGraphQLAPI, "", posture.AuthenticationType, posture.Text("API_KEY"), []string{"AppSync.5"}},
		{posture.KindGraphQLAPI, "", posture.AdditionalAuthenticationTypes, posture.List([]string{"API_KEY"}), []string{"AppSync.5", "Gatehouse.5"}},
		{posture.KindEventAPI, "", posture.DefaultPublishAuthModes, posture.List([]string{"AWS_IAM", "API_KEY"}), []string{"Gatehouse.6"}},
		{posture.KindEventAPI, "", posture.NamespaceAuthModes, posture.List([]string{"API_KEY"}), []string{"Gatehouse.6"}},
		{posture.KindDMSEndpoint, "", posture.AuthType, posture.Text("no"), []string{"DMS.11"}},
		{posture.KindMSKCluster, "", posture.Unauthenticated, posture.Flag(true), []string{"MSK.6"}},
		{posture.KindMSKCluster, "", posture.SASLIAM, posture.Flag(false), []string{"MSK.6"}},
		{posture.KindMSKCluster, "", posture.ClientBroker, posture.Text("TLS_PLAINTEXT"), []string{"Gatehouse.4"}},
		{posture.KindMSKCluster, "", posture.PlaintextBootstrap, posture.Text("b-1:9092"), []string{"Gatehouse.4"}},
		{posture.KindReplicationGroup, "redis", posture.AuthToken, posture.Absent(), []string{"ElastiCache.6"}},
		{posture.KindReplicationGroup, "redis", posture.AnonymousAccepted, posture.Flag(true), []string{"Gatehouse.1"}},
		{posture.KindReplicationGroup, "redis", posture.TransitEncryptionMode, posture.Text("preferred"), []string{"Gatehouse.3"}},
		{posture.KindReplicationGroup, "redis", posture.TransitEncryptionEnabled, posture.Flag(false), []string{"ElastiCache.5"}},
		{posture.KindReplicationGroup, "redis", posture.AtRestEncryptionEnabled, posture.Flag(false), []string{"ElastiCache.4"}},
		{posture.KindReplicationGroup, "redis", posture.AutomaticFailover, posture.Text("disabling"), []string{"ElastiCache.3"}},
		{posture.KindReplicationGroup, "redis", posture.SnapshotRetentionLimit, posture.Number(0), []string{"ElastiCache.1"}},
		{posture.KindReplicationGroup, "redis", posture.AutoMinorVersionUpgrade, posture.Flag(false), []string{"ElastiCache.2"}},
		{posture.KindReplicationGroup, "redis", posture.CacheSubnetGroupName, posture.Text("default"), []string{"ElastiCache.7"}},
		{posture.KindReplicationGroup, "valkey", posture.UserGroupIDs, posture.Absent(), []string{"Gatehouse.2"}},
		{posture.KindReplicationGroup, "valkey", posture.DefaultUserOpen, posture.Flag(true), []string{"Gatehouse.2"}},
		{posture.KindServerlessCache, "", posture.UserGroupIDs, posture.Absent(), []string{"Gatehouse.2"}},
		{posture.KindServerlessCache, "", posture.DefaultUserOpen, posture.Flag(true), []string{"Gatehouse.2"}},
		{posture.KindConfigRule, "", posture.RulePresent, posture.Flag(false), []string{"Gatehouse.9"}},
	}
	covered := map[string]bool{}
	for _, flip := range flips {
		t.Run(fmt.Sprintf("%s %s %s", flip.kind, flip.engine, flip.attribute), func(t *testing.T) {
			for _, resource := range sound() {
				if resource.Kind != flip.kind || flip.engine != "" && resource.Attributes[posture.Engine].Text() != flip.engine {
					continue
				}
				before, after := verdicts(t, resource), verdicts(t, resource.With(flip.attribute, flip.value))
				for control, verdict := range before {
					if verdict != posture.Pass && verdict != posture.NotApplicable {
						t.Errorf("%s is %s before the flip", control, verdict)
					}
				}
				for _, control := range flip.turn {
					covered[control] = true
					if !after[control].Bad() {
						t.Errorf("%s is %q after the flip, want a failure", control, after[control])
					}
					delete(before, control)
					delete(after, control)
				}
				for control, verdict := range after {
					if verdict.Bad() || verdict == posture.Undecided {
						t.Errorf("%s turned %s too (it was %s)", control, verdict, before[control])
					}
				}
			}
		})
	}
	for _, control := range posture.Catalogue() {
		if !covered[control.ID] {
			t.Errorf("no flip turns %s", control.ID)
		}
	}
}

// TestNothingReadIsNeverAPass judges resources of which nothing at all is known.
func TestNothingReadIsNeverAPass(t *testing.T) {
	for _, resource := range sound() {
		resource.Attributes = nil
		resource.Otherwise = posture.Value{}
		for control, verdict := range verdicts(t, resource) {
			if verdict != posture.Undecided {
				t.Errorf("%s of an unread %s is %s, want UNKNOWN", control, resource.Kind, verdict)
			}
		}
	}
}

// TestOneUnknownAttributeNeverHidesAFailure makes each attribute of each sound
// resource unknown: a verdict stays or becomes UNKNOWN.
func TestOneUnknownAttributeNeverHidesAFailure(t *testing.T) {
	for _, resource := range sound() {
		for name := range resource.Attributes {
			before, after := verdicts(t, resource), verdicts(t, resource.With(name, posture.Unknown("a test", "a value")))
			for control, verdict := range after {
				if verdict != posture.Undecided && before[control] != "" && verdict != before[control] && verdict != posture.Pass {
					t.Errorf("%s of %s with %s unknown is %s, was %s", control, resource.Kind, name, verdict, before[control])
				}
			}
		}
	}
}
