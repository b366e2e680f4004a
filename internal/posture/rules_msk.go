package posture

import "strings"

// mskUnauthenticated is MSK.6. A cluster with no mechanism at all is anonymous
// by construction, whatever the flag says.
func mskUnauthenticated(r *Reader) Judgement {
	if r.Resource().Kind == KindMSKServerless {
		return notApplicable("MSK Serverless admits IAM principals only")
	}
	anonymous := r.Read(Unauthenticated)
	if anonymous.True() {
		return mskOpen(r, "unauthenticated access is enabled"+besides(r))
	}
	if _, ok := anonymous.bool(); anonymous.IsUnknown() || anonymous.IsKnown() && !ok {
		return undecided(Named{Unauthenticated, asUnknown(anonymous, "true or false")})
	}
	iam, scram, tls := r.Read(SASLIAM), r.Read(SASLSCRAM), r.Read(MutualTLS)
	switch {
	case iam.True() || scram.True() || tls.True():
		return pass("unauthenticated access is off and " + mechanisms(iam, scram, tls) + " is on")
	case iam.IsUnknown() || scram.IsUnknown() || tls.IsUnknown():
		return undecided(Named{SASLIAM, iam}, Named{SASLSCRAM, scram}, Named{MutualTLS, tls})
	case anonymous.IsAbsent() && r.Read(ClientAuthentication).IsAbsent():
		return mskOpen(r, "no ClientAuthentication is given: such a cluster admits everybody, although the flag is not set")
	}
	return mskOpen(r, "no authentication mechanism is on (IAM, SCRAM and TLS are all off): such a cluster admits everybody")
}

// asUnknown turns a known value of the wrong type into an unknown one.
func asUnknown(value Value, needs string) Value {
	if value.IsUnknown() {
		return value
	}
	return Unknown("its value "+value.String()+" makes no sense", needs)
}

func mechanisms(iam, scram, tls Value) string {
	var on []string
	for name, value := range map[string]Value{"IAM": iam, "SASL/SCRAM": scram, "mutual TLS": tls} {
		if value.True() {
			on = append(on, name)
		}
	}
	return strings.Join(sorted(on), " and ")
}

func besides(r *Reader) string {
	on := mechanisms(r.Read(SASLIAM), r.Read(SASLSCRAM), r.Read(MutualTLS))
	if on == "" {
		return ": any client that reaches a broker can read, write and delete topics"
	}
	return " beside " + on + ": a mechanism that is on does not turn the anonymous listener off"
}

func mskOpen(r *Reader, reason string) Judgement {
	judgement := fail(reason, r.Next(
		"gatehouse migrate plan "+r.Resource().ID+" --to iam   # clients that cannot sign: --to scram",
		"set ClientAuthentication.Sasl.Iam.Enabled (or Scram) to true and Unauthenticated.Enabled to false",
	))
	if r.Read(InCluster).False() {
		judgement = judgement.requires("encryption within the cluster is off and cannot be turned on later: SASL and mutual TLS need it, so the cluster must be rebuilt")
	}
	if mode := r.Read(ClientBroker).Text(); mode != "" && mode != "TLS" {
		judgement = judgement.requires("ClientBroker is " + mode + ": bring it to TLS (through TLS_PLAINTEXT) before IAM or SCRAM")
	}
	return judgement
}

// mskPlaintext is Gatehouse.4: with ClientBroker TLS_PLAINTEXT or PLAINTEXT
// beside mutual TLS, MSK opens a plaintext listener that asks nobody
// (UpdateSecurity in the MSK developer guide).
func mskPlaintext(r *Reader) Judgement {
	next := r.Next("gatehouse migrate plan "+r.Resource().ID+"   # moves ClientBroker to TLS once nobody uses the plaintext listener",
		"set EncryptionInfo.EncryptionInTransit.ClientBroker to TLS")
	broker, bootstrap, anonymous := r.Read(ClientBroker), r.Read(PlaintextBootstrap), r.Read(Unauthenticated)
	if bootstrap.Set() {
		return failEffective("the cluster publishes plaintext brokers (BootstrapBrokerString): that listener asks nobody", next)
	}
	switch mode := strings.ToUpper(broker.Text()); {
	case mode == "TLS":
		return pass("clients can only connect with TLS")
	case mode == "PLAINTEXT", mode == "TLS_PLAINTEXT":
		return failEffective("ClientBroker is "+mode+": beside the TLS listener there is a plaintext one, which asks nobody, even when unauthenticated access is off", next)
	case broker.IsAbsent() && anonymous.True():
		return pass("ClientBroker is not set; MSK.6 already says that the cluster admits everybody")
	case broker.IsAbsent() && (r.Read(SASLIAM).True() || r.Read(SASLSCRAM).True()) && !r.Read(MutualTLS).True():
		return pass("ClientBroker is not set; IAM and SASL/SCRAM exist with TLS only")
	case broker.IsAbsent():
		return undecided(Named{ClientBroker, Unknown("it is not set, and AWS's pages disagree about the default (TLS or TLS_PLAINTEXT)", "ClientBroker: TLS written out")})
	}
	return undecided(Named{ClientBroker, asUnknown(broker, "TLS, TLS_PLAINTEXT or PLAINTEXT")})
}
