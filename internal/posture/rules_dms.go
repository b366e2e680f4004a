package posture

import (
	"fmt"
	"strings"
)

// mongoAuthentication is DMS.11. It reads AuthType; AuthMechanism is ignored by
// DMS when AuthType is "no", and "default" is a fine mechanism.
func mongoAuthentication(r *Reader) Judgement {
	engine := r.Read(EngineName)
	if engine.IsUnknown() {
		return undecided(Named{EngineName, engine})
	}
	if !strings.EqualFold(engine.Text(), "mongodb") {
		return notApplicable(fmt.Sprintf("the engine is %s; the control reads MongoDB endpoints only", engine.Text()))
	}
	auth, extra := r.Read(AuthType), r.Read(ExtraConnectionAttributes)
	if strings.EqualFold(extra.Text(), "no") {
		return openMongo(r, "authType=NO stands in the extra connection attributes")
	}
	switch {
	case strings.EqualFold(auth.Text(), "password"):
		if extra.IsUnknown() {
			return undecided(Named{ExtraConnectionAttributes, extra})
		}
		r.Read(AuthMechanism)
		return pass("AuthType is password")
	case strings.EqualFold(auth.Text(), "no"):
		return openMongo(r, `AuthType is "no"`)
	case auth.IsUnknown():
		return undecided(Named{AuthType, auth})
	case strings.EqualFold(extra.Text(), "password"):
		return pass("authType=PASSWORD stands in the extra connection attributes")
	case extra.IsUnknown():
		return undecided(Named{ExtraConnectionAttributes, extra})
	case auth.IsAbsent() && r.Read(MongoDBSettings).IsAbsent() && !r.Resource().Location.Origin.Live():
		return undecided(Named{MongoDBSettings, Unknown("the template has no MongoDbSettings, so what authenticates cannot be seen (DMS's default is \"no\")", "MongoDbSettings with AuthType: password")})
	case auth.IsAbsent():
		return openMongo(r, `AuthType is not set, and DMS's default is "no"`)
	}
	return undecided(Named{AuthType, Unknown(fmt.Sprintf("%q is not an AuthType", auth.Text()), `"password" or "no"`)})
}

func openMongo(r *Reader, reason string) Judgement {
	judgement := fail(reason+": DMS connects to MongoDB without a credential, so the server admits callers without one", r.Next(
		"gatehouse migrate plan "+r.Resource().ID+"   # stop task, ModifyEndpoint, TestConnection, resume",
		"set MongoDbSettings.AuthType to password, with SecretsManagerSecretId or a user name and password by reference",
	))
	if n, ok := r.Read(RunningTasks).Int(); ok && n > 0 {
		judgement = judgement.requires(fmt.Sprintf("%d running task(s) use the endpoint and must be stopped first", n))
	}
	return judgement.requires("a MongoDB user for DMS exists, and the server demands authentication")
}
