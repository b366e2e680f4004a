package migrate

import (
	"fmt"
	"strings"

	"github.com/gatehouse/gatehouse/internal/posture/source/usage"
)

// planCluster adds IAM or SCRAM to an MSK cluster, then closes the listeners
// that ask nobody. UpdateSecurity replaces the authentication block whole, so
// that every call names every method that is to stay.
func planCluster(b *builder) error {
	b.plan.Control = "MSK.6"
	b.plan.From = clusterModes(b.conf)
	open, _ := b.conf.at("ClientAuthentication.Unauthenticated.Enabled").(bool)
	transport := b.conf.field("EncryptionInTransit.ClientBroker")
	if !open && transport == "TLS" && b.plan.From != "open" {
		b.plan.Why = "the cluster lets nobody in without " + b.plan.From
		return nil
	}
	if err := b.choose("iam", "Kafka clients with AWS credentials sign with IAM and need no secret; where a client cannot, take scram", "iam", "aws_iam", "scram"); err != nil {
		return err
	}
	if within, ok := b.conf.at("EncryptionInTransit.InCluster").(bool); ok && !within {
		return b.rebuildCluster()
	}
	b.warn("MSK Connect, Lambda event sources, Flink, Replicator and DMS targets are clients too")
	b.warn("Terraform has replaced a cluster when client_authentication changed: look at the plan's actions before the next apply")
	b.clusterSteps(transport)
	return nil
}

func clusterModes(conf Configuration) string {
	var modes []string
	for path, name := range map[string]string{"Sasl.Iam": "iam", "Sasl.Scram": "scram", "Tls": "mtls", "Unauthenticated": "open"} {
		if on, _ := conf.at("ClientAuthentication." + path + ".Enabled").(bool); on {
			modes = append(modes, name)
		}
	}
	if len(modes) == 0 {
		return "open"
	}
	return strings.Join(modes, "+")
}

// authentication is the whole block: what the cluster has, the new method, and
// whether strangers are let in.
func (b *builder) authentication(add string, open bool) map[string]any {
	on := func(path string) bool {
		v, _ := b.conf.at("ClientAuthentication." + path + ".Enabled").(bool)
		return v
	}
	sasl := map[string]any{"Iam": map[string]any{"Enabled": on("Sasl.Iam") || add == "iam"}, "Scram": map[string]any{"Enabled": on("Sasl.Scram") || add == "scram"}}
	auth := map[string]any{"Sasl": sasl, "Unauthenticated": map[string]any{"Enabled": open}}
	if tls, ok := b.conf.at("ClientAuthentication.Tls").(map[string]any); ok {
		auth["Tls"] = tls
	}
	return auth
}

func (b *builder) updateSecurity(block string, value any) *Call {
	return call("kafka", "UpdateSecurity", map[string]any{"ClusterArn": b.req.Resource, "CurrentVersion": "${now.CurrentVersion}", block: value})
}

func (b *builder) transport(mode string) *Call {
	return b.updateSecurity("EncryptionInfo", map[string]any{"EncryptionInTransit": map[string]any{"ClientBroker": mode}})
}

const restarts = "the brokers restart one after the other; clients reconnect"

func (b *builder) clusterSteps(transport string) {
	method := strings.TrimPrefix(b.req.To, "aws_")
	field := map[string]string{"iam": "Iam", "scram": "Scram"}[method]
	path := "ClientAuthentication.Sasl." + field + ".Enabled"
	wasOpen := clusterModes(b.conf) == "open" || strings.Contains(clusterModes(b.conf), "open")
	if transport == "PLAINTEXT" {
		b.add(Step{
			ID: "allow-tls", Kind: KindCall, Title: "open a TLS listener beside the plaintext one", Effect: restarts, Call: b.transport("TLS_PLAINTEXT"),
			Until: []Check{is("EncryptionInTransit.ClientBroker", "TLS_PLAINTEXT")}, Rollback: undo(b.transport("PLAINTEXT"), is("EncryptionInTransit.ClientBroker", "PLAINTEXT")),
		})
	}
	if on, _ := b.conf.at(path).(bool); !on {
		// SASL beside a plaintext listener is allowed only while strangers are let in.
		b.add(Step{
			ID: "add-" + method, Kind: KindCall, Title: "add " + strings.ToUpper(method) + " beside the open listener", Effect: restarts, Reaches: Dual,
			Call: b.updateSecurity("ClientAuthentication", b.authentication(method, true)), Until: []Check{is(path, true)},
			Rollback: undo(b.updateSecurity("ClientAuthentication", b.authentication("", wasOpen)), is(path, false)),
		})
	}
	if method == "scram" {
		b.scramSecret()
	}
	b.add(Step{
		ID: "move-clients", Kind: KindManual, Reaches: Dual, Effect: "each client moves when it is ready; both listeners answer",
		Title: "write Kafka ACLs (while allow.everyone.if.no.acl.found is true an authenticated client may do everything), then move the clients to " +
			map[string]string{"iam": "port 9098 with IAM", "scram": "port 9096 with SASL/SCRAM"}[method],
	})
	evidence := b.clusterEvidence()
	if evidence.Meter == usage.Nothing {
		b.manual("no-log", "say that neither VPC flow logs of the brokers nor the brokers' authorizer log can be had; where one can, turn it on and plan again with --set flow-logs=GROUP or --set broker-logs=GROUP", "none")
	}
	b.drain(evidence)
	if transport != "TLS" {
		b.add(Step{
			ID: "close-plaintext", Kind: KindCall, Title: "close the plaintext listener", Effect: restarts + "; a client on port 9092 is refused", Closes: true, Call: b.transport("TLS"),
			Until: []Check{is("EncryptionInTransit.ClientBroker", "TLS")}, Rollback: undo(b.transport("TLS_PLAINTEXT"), is("EncryptionInTransit.ClientBroker", "TLS_PLAINTEXT")),
		})
	}
	b.add(Step{
		ID: "close", Kind: KindCall, Title: "let nobody in without authentication", Effect: restarts + "; a client without a credential is refused", Closes: true, Reaches: Closed,
		Call: b.updateSecurity("ClientAuthentication", b.authentication(method, false)), Until: []Check{is("ClientAuthentication.Unauthenticated.Enabled", false), is(path, true)},
		Rollback: undo(b.updateSecurity("ClientAuthentication", b.authentication(method, true)), is("ClientAuthentication.Unauthenticated.Enabled", true)),
	})
	b.verifyCluster(path)
}

func (b *builder) verifyCluster(path string) {
	checks := []Check{is("ClientAuthentication.Unauthenticated.Enabled", false), is(path, true), {Path: "Brokers.BootstrapBrokerString", Absent: true}}
	if mutual, _ := b.conf.at("ClientAuthentication.Tls.Enabled").(bool); !mutual {
		checks = append(checks, Check{Path: "Brokers.BootstrapBrokerStringTls", Absent: true})
	}
	b.add(Step{ID: "verify", Kind: KindVerify, Title: "the cluster publishes no broker that asks nobody", Reaches: Verified, Verify: checks})
	b.warn("when it is verified, take ports 9092 and 9094 (unless mutual TLS uses it) out of the security group")
}

func (b *builder) scramSecret() {
	secret := b.req.Set["secret-arn"]
	if secret == "" {
		b.manual("associate-secret", "make a secret named AmazonMSK_… under a KMS key of your own, and: aws kafka batch-associate-scram-secret --cluster-arn "+b.req.Resource+" --secret-arn-list …", "none")
		return
	}
	b.add(Step{
		ID: "associate-secret", Kind: KindCall, Title: "give the cluster its SCRAM secret", Effect: "none",
		Call: call("kafka", "BatchAssociateScramSecret", map[string]any{"ClusterArn": b.req.Resource, "SecretArnList": []any{secret}}), Until: []Check{{Path: "ScramSecrets", Has: secret}},
	})
}

// clusterEvidence takes flow logs or broker logs where the operator names them:
// no metric counts connections without authentication.
func (b *builder) clusterEvidence() usage.Spec {
	switch {
	case b.req.Set["flow-logs"] != "":
		return usage.Spec{Meter: usage.MSKFlowLogs, Params: map[string]string{"cluster_arn": b.req.Resource, "log_group": b.req.Set["flow-logs"], "ports": b.openPorts()}}
	case b.req.Set["broker-logs"] != "":
		return usage.Spec{Meter: usage.MSKBrokerLogs, Params: map[string]string{"log_group": b.req.Set["broker-logs"]}}
	}
	b.warn("no evidence was named: --set flow-logs=GROUP (VPC flow logs of the brokers) or --set broker-logs=GROUP (authorizer log) would prove that the old listeners are idle")
	return usage.Spec{Meter: usage.Nothing, Params: map[string]string{"reason": "MSK has no metric of connections without authentication (ClientConnectionCount counts the others, ConnectionCount counts all with those between brokers). VPC flow logs or the brokers' authorizer log would show them: plan again with --set flow-logs=GROUP or --set broker-logs=GROUP"}}
}

// openPorts are the ports whose listeners ask nobody. Mutual TLS shares 9094.
func (b *builder) openPorts() string {
	if mutual, _ := b.conf.at("ClientAuthentication.Tls.Enabled").(bool); mutual {
		return "9092"
	}
	return "9092,9094"
}

// rebuildCluster is the plan for a cluster whose brokers talk in the clear: that
// is fixed when a cluster is made, and no authentication works without it.
func (b *builder) rebuildCluster() error {
	b.plan.Why = "encryption within the cluster is off, cannot be turned on, and IAM, SCRAM and mutual TLS need it: the cluster has to be rebuilt"
	for i, title := range []string{
		"make a new cluster with encryption in the cluster, ClientBroker TLS, Unauthenticated off and " + b.req.To + " on",
		"copy topics and consumer positions with MSK Replicator or MirrorMaker 2",
		"move consumers, then producers, to the new cluster",
		"check that the old cluster's BytesInPerSec is zero for " + b.plan.Window,
		"delete the old cluster",
	} {
		b.manual(fmt.Sprintf("rebuild-%d", i+1), title, "see the step")
	}
	return nil
}
