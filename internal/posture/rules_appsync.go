package posture

import (
	"fmt"
	"slices"
	"strings"
)

const keyMode = "API_KEY"

// strongModes is the Config rule's fixed allow-list.
var strongModes = []string{"AWS_LAMBDA", "AWS_IAM", "OPENID_CONNECT", "AMAZON_COGNITO_USER_POOLS"}

// graphQLKeys is AppSync.5: every mode counts, the additional ones too.
func graphQLKeys(r *Reader) Judgement {
	primary, more := r.Read(AuthenticationType), r.Read(AdditionalAuthenticationTypes)
	switch {
	case primary.Text() == keyMode:
		return keyFailure(r, "the primary authentication mode is API_KEY")
	case slices.Contains(more.Items(), keyMode):
		return keyFailure(r, "API_KEY is among the additional authentication providers")
	case primary.IsUnknown() || more.IsUnknown():
		return undecided(Named{AuthenticationType, primary}, Named{AdditionalAuthenticationTypes, more})
	}
	modes := append(primary.Items(), more.Items()...)
	for _, mode := range modes {
		if !slices.Contains(strongModes, mode) {
			return undecided(Named{AuthenticationType, Unknown(fmt.Sprintf("%q is not a mode that the control allows", mode), "one of "+strings.Join(strongModes, ", "))})
		}
	}
	if len(modes) == 0 {
		return undecided(Named{AuthenticationType, Unknown("AuthenticationType is required and is missing", "the authentication mode")})
	}
	judgement := pass("every authentication mode is allowed: " + strings.Join(modes, ", "))
	if n, ok := r.Read(LiveAPIKeys).Int(); ok && n > 0 {
		judgement.Notes = append(judgement.Notes, fmt.Sprintf("%d API key(s) are left over; no mode accepts them: delete them", n))
	}
	return judgement
}

func keyFailure(r *Reader, reason string) Judgement {
	judgement := fail(reason+": whoever holds the key, which ships in every client, is let in", nextGraphQL(r))
	if n, ok := r.Read(LiveAPIKeys).Int(); ok && n == 0 && r.Resource().Location.Origin.Live() {
		judgement.Notes = append(judgement.Notes, "no key is live now; the control reads modes, so only removing the mode clears it")
	}
	return judgement.requires("fields without @aws_… directives answer the primary mode only: mark the schema before the modes are swapped")
}

func nextGraphQL(r *Reader) string {
	return r.Next(
		"gatehouse migrate plan "+r.Resource().ID+"   # adds a strong mode, drains the key, then removes mode and key",
		"remove API_KEY from AuthenticationType and AdditionalAuthenticationProviders, and the AWS::AppSync::ApiKey with it",
	)
}

// graphQLAdditionalKey is Gatehouse.5: auditors that read the primary mode only
// report these APIs as green.
func graphQLAdditionalKey(r *Reader) Judgement {
	primary, more := r.Read(AuthenticationType), r.Read(AdditionalAuthenticationTypes)
	switch {
	case primary.Text() == keyMode:
		return silent()
	case slices.Contains(more.Items(), keyMode):
		return failEffective("the primary mode is strong and API_KEY still opens the API as an additional mode: adding a strong mode does not remove a weak one", nextGraphQL(r))
	case more.IsUnknown():
		return undecided(Named{AdditionalAuthenticationTypes, more})
	}
	return pass("no additional mode is API_KEY")
}

// eventAPIKeys is Gatehouse.6. No Security Hub control covers Event APIs.
func eventAPIKeys(r *Reader) Judgement {
	next := r.Next(
		"aws appsync update-api --api-id … --event-config …   # without API_KEY in any list, then delete its keys",
		"take API_KEY out of EventConfig's AuthProviders and of every …AuthModes list",
	)
	unknown := []Named{}
	for _, name := range []Attribute{ConnectionAuthModes, DefaultPublishAuthModes, DefaultSubscribeAuthModes, NamespaceAuthModes, AuthProviders} {
		value := r.Read(name)
		if slices.Contains(value.Items(), keyMode) {
			return failEffective("API_KEY is in "+string(name)+", and no Security Hub control reads Event APIs", next)
		}
		if value.IsUnknown() {
			unknown = append(unknown, Named{name, value})
		}
	}
	if len(unknown) > 0 {
		return undecided(unknown...)
	}
	return pass("no list of modes contains API_KEY")
}
