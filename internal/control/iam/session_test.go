package iam

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/credential/iamtoken"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/policy"
)

func TestAuthorize(t *testing.T) {
	h := newHarness(t)
	ctx := t.Context()
	boundary, err := h.CreatePolicy(ctx, NewEntity{Name: "boundary"}, "", doc(allowCaches))
	h.must(err, second(h.CreateGroup(ctx, NewEntity{Name: "admins"})), h.PutInline(ctx, Group, "admins", "all", doc(allowAll)))
	nobody := h.user("nobody")
	member := h.user("member")
	h.must(h.AddUserToGroup(ctx, "member", "admins"))
	bounded := h.user("bounded", allowAll)
	h.must(h.SetBoundary(ctx, User, "bounded", h.PolicyARN(boundary)))
	denied := h.user("denied", allowAll, denyDelete)
	itself := h.user("itself", `{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::*:user/${aws:username}"}`)
	tagged := h.user("tagged", `{"Effect":"Allow","Action":"iam:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}","iam:ResourceTag/team":"red"}}}`)
	h.must(h.Tag(ctx, User, "tagged", []naming.Tag{{Key: "team", Value: "red"}}), h.Tag(ctx, User, "member", []naming.Tag{{Key: "team", Value: "red"}}))
	tagged = h.find(tagged.AccessKeyID, "")
	near := h.user("near", strings.Replace(allowAll, `"Effect"`, `"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}},"Effect"`, 1))
	far := h.user("far", strings.Replace(allowAll, `"Effect"`, `"Condition":{"IpAddress":{"aws:SourceIp":"11.0.0.0/8"}},"Effect"`, 1))
	root := h.find(h.Root.ID, "")
	for _, c := range []struct {
		name             string
		who              *Identity
		action, resource string
		denial           string // "" when it is allowed
	}{
		{"root", root, "iam:CreateUser", "*", ""},
		{"nobody", nobody, "elasticache:DescribeUsers", "*", "User: " + account + "user/nobody is not authorized to perform: elasticache:DescribeUsers because no identity-based policy allows the elasticache:DescribeUsers action"},
		{"nobody asks who it is", nobody, "sts:GetCallerIdentity", "*", ""},
		{"nobody asks for a session", nobody, "sts:GetSessionToken", "*", ""},
		{"by its group", member, "iam:DeleteRole", account + "role/x", ""},
		{"within its boundary", bounded, "elasticache:CreateUser", "*", ""},
		{"beyond its boundary", bounded, "iam:CreateUser", "*", "because no permissions boundary allows the iam:CreateUser action"},
		{"denied", denied, "elasticache:DeleteUser", "arn:aws:elasticache:us-east-1:000000000000:user:a", "on resource: arn:aws:elasticache:us-east-1:000000000000:user:a with an explicit deny in an identity-based policy"},
		{"not denied", denied, "elasticache:CreateUser", "*", ""},
		{"its own user", itself, "iam:CreateAccessKey", account + "user/itself", ""},
		{"another's user", itself, "iam:CreateAccessKey", account + "user/member", "no identity-based policy"},
		{"of its team", tagged, "iam:GetUser", account + "user/member", ""},
		{"of no team", tagged, "iam:GetUser", account + "user/itself", "no identity-based policy"},
		{"from near", near, "iam:GetUser", "*", ""},
		{"from far", far, "iam:GetUser", "*", "no identity-based policy"},
	} {
		err := h.may(c.who, c.action, c.resource)
		if c.denial == "" && err != nil || c.denial != "" && (identity.KindOf(err) != identity.AccessDenied || !strings.Contains(err.Error(), c.denial)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.denial)
		}
	}
	err = h.Authorize(&Question{Who: itself, Action: "iam:UpdateUser", Resources: []string{account + "user/itself", account + "user/admin"}})
	h.refused(err, identity.AccessDenied, account+"user/admin") // all must be allowed
}

// A boundary whose policy cannot be found allows nothing.
func TestWhatCannotBeReadDenies(t *testing.T) {
	h := newHarness(t)
	x := h.index()
	named := x.parse(policy.Identity, "broken", "{")
	who := &policy.Principal{Type: policy.User, Account: h.Account.ID}
	all := x.parse(policy.Identity, "all", doc(allowAll))
	for name, p := range map[string]policy.Policies{
		"a broken policy": {Identity: []policy.Named{all, named}},
		"no boundary":     {Identity: []policy.Named{all}, Boundary: h.boundary(x, &identity.IAMEntity{Boundary: account + "policy/none"})},
	} {
		if policy.Evaluate(&policy.Request{Principal: who, Action: "a:b", Resource: "*"}, &p).Allowed {
			t.Errorf("%s: allowed", name)
		}
	}
}

func TestTrust(t *testing.T) {
	h := newHarness(t)
	alice, bob := h.user("alice"), h.user("bob", allowAll)
	conditional := strings.Replace(trustAccount, `"Effect"`, `"Condition":{"StringEquals":{"sts:ExternalId":"42","sts:RoleSessionName":"one"}},"Effect"`, 1)
	for _, c := range []struct {
		name, trust string
		who         *Identity
		external    string
		allowed     bool
	}{
		{"the account, without permission", trustAccount, alice, "", false},
		{"the account, with permission", trustAccount, bob, "", true},
		{"the user, which is enough", `{"Effect":"Allow","Principal":{"AWS":"` + account + `user/alice"},"Action":"sts:AssumeRole"}`, alice, "", true},
		{"another user", `{"Effect":"Allow","Principal":{"AWS":"` + account + `user/alice"},"Action":"sts:AssumeRole"}`, bob, "", false},
		{"a service", `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`, bob, "", false},
		{"with the external id", conditional, bob, "42", true},
		{"without the external id", conditional, bob, "", false},
		{"with another", conditional, bob, "43", false},
	} {
		h.must(second(h.CreateRole(t.Context(), NewEntity{Name: "r"}, doc(c.trust), "", 0)))
		_, err := h.assume(c.who, &AssumeRoleInput{RoleARN: account + "role/r", ExternalID: c.external})
		if (err == nil) != c.allowed {
			t.Errorf("%s: %v", c.name, err)
		}
		h.must(h.DeleteRole(t.Context(), "r"))
	}
	h.role("r", trustAccount)
	h.refused(second(h.assume(h.find(h.Root.ID, ""), &AssumeRoleInput{RoleARN: account + "role/r"})), identity.AccessDenied, "Roles may not be assumed by root accounts.")
	h.refused(second(h.assume(bob, &AssumeRoleInput{RoleARN: account + "role/none"})), identity.AccessDenied, "no role trust policy allows the sts:AssumeRole action")
	h.refused(second(h.CreateRole(t.Context(), NewEntity{Name: "bad"}, doc(`{"Effect":"Allow","Principal":"*","Action":"iam:*"}`), "", 0)), identity.Malformed, "AssumeRole policy may only specify STS AssumeRole actions.")
}

func TestSessionsEnd(t *testing.T) {
	h := newHarness(t)
	alice := h.user("alice", allowAll)
	arn := h.role("r", trustAccount, allowCaches)
	session, err := h.assume(alice, &AssumeRoleInput{RoleARN: arn})
	h.must(err)
	who := h.find(session.AccessKeyID, session.SessionToken)
	if who.Principal.ARN != "arn:aws:sts::000000000000:assumed-role/r/one" || who.Principal.Role != arn || !strings.HasPrefix(session.AccessKeyID, "ASIA") {
		t.Errorf("%+v", who)
	}
	h.must(h.may(who, "elasticache:CreateUser", "*"))
	if _, _, err := h.Find(t.Context(), alice.AccessKeyID, session.SessionToken); !errors.Is(err, ErrUnknown) {
		t.Errorf("with another key: %v", err)
	}
	h.clock.Advance(time.Hour - time.Second)
	h.find(session.AccessKeyID, session.SessionToken)
	h.clock.Advance(time.Second)
	if _, _, err := h.Find(t.Context(), session.AccessKeyID, session.SessionToken); !errors.Is(err, ErrExpired) {
		t.Errorf("after an hour: %v", err)
	}
	session, err = h.assume(alice, &AssumeRoleInput{RoleARN: arn})
	h.must(err, h.DeleteInline(t.Context(), Role, "r", "own"), h.DeleteRole(t.Context(), "r"))
	h.role("r", trustAccount, allowAll) // another role of the same name
	if _, _, err := h.Find(t.Context(), session.AccessKeyID, session.SessionToken); !errors.Is(err, ErrUnknown) {
		t.Errorf("after its role was deleted: %v", err)
	}
}

func TestSessionPoliciesTagsAndChains(t *testing.T) {
	h := newHarness(t)
	alice := h.user("alice", allowAll)
	arn := h.role("r", trustAccount, allowAll)
	h.must(h.Tag(t.Context(), Role, "r", []naming.Tag{{Key: "team", Value: "role"}, {Key: "kept", Value: "role"}}))
	in := &AssumeRoleInput{
		RoleARN: arn, Policy: doc(allowAll, denyDelete), PolicyARNs: []string{"arn:aws:iam::aws:policy/AmazonElastiCacheFullAccess"},
		Tags: []naming.Tag{{Key: "team", Value: "session"}}, Transitive: []string{"team"},
	}
	session, err := h.assume(alice, in)
	h.must(err)
	who := h.find(session.AccessKeyID, session.SessionToken)
	if want := map[string]string{"team": "session", "kept": "role"}; !maps.Equal(who.Principal.Tags, want) {
		t.Errorf("%v, want %v", who.Principal.Tags, want)
	}
	h.must(h.may(who, "elasticache:CreateUser", "*"), h.may(who, "iam:CreateUser", "*"))
	h.refused(h.may(who, "elasticache:DeleteUser", "*"), identity.AccessDenied, "with an explicit deny in a session policy")

	in.Policy = "" // now the managed one alone limits it
	session, err = h.assume(alice, in)
	h.must(err)
	who = h.find(session.AccessKeyID, session.SessionToken)
	h.refused(h.may(who, "iam:CreateUser", "*"), identity.AccessDenied, "no session policy allows the iam:CreateUser action")

	in.PolicyARNs = nil
	session, err = h.assume(alice, in)
	h.must(err)
	who = h.find(session.AccessKeyID, session.SessionToken)
	h.refused(second(h.assume(who, &AssumeRoleInput{RoleARN: arn, Duration: 2 * time.Hour})), identity.ValidationError, "1 hour session limit for roles assumed by role chaining")
	h.refused(second(h.assume(who, &AssumeRoleInput{RoleARN: arn, Tags: []naming.Tag{{Key: "team", Value: "x"}}})), identity.ValidationError, "conflicts with a transitive tag key")
	next, err := h.assume(who, &AssumeRoleInput{RoleARN: arn})
	h.must(err)
	if tags := h.find(next.AccessKeyID, next.SessionToken).Principal.Tags; tags["team"] != "session" {
		t.Errorf("a transitive tag is lost: %v", tags)
	}
	h.refused(second(h.assume(alice, &AssumeRoleInput{RoleARN: arn, Transitive: []string{"none"}})), identity.ValidationError, "must be included in the requested tags")
	h.refused(second(h.assume(alice, &AssumeRoleInput{RoleARN: arn, Policy: "{"})), identity.Malformed, "Syntax errors")
	big := &AssumeRoleInput{RoleARN: arn}
	for range 50 {
		big.Tags = append(big.Tags, naming.Tag{Key: newSecret().Reveal(), Value: newSecret().Reveal() + newSecret().Reveal()})
	}
	h.refused(second(h.assume(alice, big)), identity.PackedPolicyTooLarge, "Packed policy consumes")
}

// Who takes over the name of a trusted user is not trusted; who is renamed is.
func TestTrustIsInTheUserNotTheName(t *testing.T) {
	h := newHarness(t)
	ctx := t.Context()
	alice := h.user("alice")
	named := `{"Effect":"Allow","Principal":{"AWS":["` + account + `user/alice"]},"Action":"sts:AssumeRole"}`
	arn := h.role("r", named)
	escaped := h.role("escaped", strings.ReplaceAll(named, "user/", `user\/`))
	h.must(second(h.assume(alice, &AssumeRoleInput{RoleARN: arn})), second(h.assume(alice, &AssumeRoleInput{RoleARN: escaped})))
	h.must(h.Rename(ctx, User, "alice", "alicia", ""))
	h.must(second(h.assume(h.find(alice.AccessKeyID, ""), &AssumeRoleInput{RoleARN: arn})))
	impostor := h.user("alice")
	for _, role := range []string{arn, escaped} {
		h.refused(second(h.assume(impostor, &AssumeRoleInput{RoleARN: role})), identity.AccessDenied, "no role trust policy allows")
	}
	h.must(h.DeleteAccessKey(ctx, "alicia", alice.AccessKeyID), h.DeleteUser(ctx, "alicia"))
	alicia := h.user("alicia")
	h.refused(second(h.assume(alicia, &AssumeRoleInput{RoleARN: arn})), identity.AccessDenied, "no role trust policy allows")
	role, err := h.Role("r")
	h.must(err)
	if shown := h.Trust(role); !strings.Contains(shown, `["`+alice.Principal.ID+`"]`) {
		t.Errorf("shown as %s", shown)
	}
	h.refused(h.UpdateTrust(ctx, "r", doc(strings.ReplaceAll(named, "alice", "nobody"))), identity.Malformed, `Invalid principal in policy: "AWS":"`+account+`user/nobody"`)
	h.refused(h.UpdateTrust(ctx, "r", doc(strings.ReplaceAll(named, "user/alice", `user/\u0061lice`))), identity.Malformed, "without escapes")
	h.must(h.UpdateTrust(ctx, "r", doc(named)), second(h.assume(impostor, &AssumeRoleInput{RoleARN: arn})))
}

// Tags are an action of their own.
func TestTaggingASessionNeedsPermission(t *testing.T) {
	h := newHarness(t)
	alice := h.user("alice", allowAll)
	arn := h.role("r", `{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"sts:AssumeRole"}`)
	h.must(second(h.assume(alice, &AssumeRoleInput{RoleARN: arn})))
	h.refused(second(h.assume(alice, &AssumeRoleInput{RoleARN: arn, Tags: []naming.Tag{{Key: "a", Value: "b"}}})), identity.AccessDenied, "sts:TagSession")
	h.refused(second(h.assume(alice, &AssumeRoleInput{RoleARN: arn, SourceIdentity: "me"})), identity.AccessDenied, "sts:SetSourceIdentity")
}

func TestGetSessionToken(t *testing.T) {
	h := newHarness(t)
	alice := h.user("alice", allowAll)
	for _, c := range []struct {
		who       *Identity
		asked     time.Duration
		lasts     time.Duration
		principal string
	}{
		{alice, 0, 12 * time.Hour, account + "user/alice"},
		{alice, 15 * time.Minute, 15 * time.Minute, account + "user/alice"},
		{h.find(h.Root.ID, ""), 36 * time.Hour, time.Hour, account + "root"},
	} {
		made, err := h.GetSessionToken(t.Context(), c.who, c.asked)
		h.must(err)
		who := h.find(made.AccessKeyID, made.SessionToken)
		if made.Expires.Sub(noon) != c.lasts || who.Principal.ARN != c.principal || !who.Principal.Issued.Equal(noon) {
			t.Errorf("%+v: %v", who, made.Expires)
		}
		h.must(h.may(who, "elasticache:CreateUser", "*"))
		h.refused(h.may(who, "iam:CreateUser", "*"), identity.AccessDenied, "iam:CreateUser")
		h.refused(second(h.GetSessionToken(t.Context(), who, 0)), identity.AccessDenied, "Cannot call GetSessionToken with session credentials")
	}
	made, err := h.GetSessionToken(t.Context(), alice, 0)
	h.must(err, h.DeleteInline(t.Context(), User, "alice", "own"), h.DeleteAccessKey(t.Context(), "alice", alice.AccessKeyID), h.DeleteUser(t.Context(), "alice"))
	if _, _, err := h.Find(t.Context(), made.AccessKeyID, made.SessionToken); !errors.Is(err, ErrUnknown) {
		t.Errorf("after its user was deleted: %v", err)
	}
}

func TestGrants(t *testing.T) {
	h := newHarness(t)
	ctx := t.Context()
	alice := h.user("alice", allowAll)
	grant, err := h.Grant(ctx, alice.AccessKeyID, "", "us-east-1")
	h.must(err)
	var days []iamtoken.Day
	for _, key := range grant.Keys {
		days = append(days, key.Day)
	}
	if len(days) != 5 || days[0] != 20261120 || days[4] != 20261124 || !grant.Expires.IsZero() || len(grant.Policies.Identity) != 1 {
		t.Errorf("%v %+v", days, grant)
	}
	arn := h.role("r", trustAccount)
	session, err := h.assume(alice, &AssumeRoleInput{RoleARN: arn})
	h.must(err)
	grant, err = h.Grant(ctx, session.AccessKeyID, session.SessionToken, "us-east-1")
	h.must(err)
	if len(grant.Keys) != 2 || !grant.Expires.Equal(noon.Add(time.Hour)) || grant.Session == (iamtoken.SessionDigest{}) {
		t.Errorf("%+v", grant)
	}
	h.must(h.SetAccessKey(ctx, "alice", alice.AccessKeyID, false))
	for what, c := range map[string]struct {
		id, token string
		want      error
	}{
		"inactive":      {alice.AccessKeyID, "", iamtoken.ErrInactiveKey},
		"unknown":       {"AKIANOBODYHASTHISKEY", "", iamtoken.ErrUnknownKey},
		"root":          {h.Root.ID, "", errRoot},
		"another's":     {alice.AccessKeyID, session.SessionToken, iamtoken.ErrSession},
		"not a session": {session.AccessKeyID, "x", iamtoken.ErrSession},
	} {
		if _, err := h.Grant(ctx, c.id, c.token, "us-east-1"); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	h.clock.Advance(2 * time.Hour)
	if _, err := h.Grant(ctx, session.AccessKeyID, session.SessionToken, "us-east-1"); !errors.Is(err, iamtoken.ErrSession) || !strings.Contains(err.Error(), "expired") {
		t.Errorf("expired: %v", err)
	}
}

// What a trust policy names is found whatever else is in the document, and
// nothing that Parse accepts makes pinning fail in another way than by refusal.
func FuzzTrustedPrincipals(f *testing.F) {
	f.Add(doc(trustAccount))
	f.Add(`{"Statement":{"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::000000000000:role/a\/b","*"]},"Action":"sts:*"}}`)
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"},{"Effect":"Allow","Principal":{"Service":"x.amazonaws.com","AWS":"arn:aws:iam::000000000000:user\u002falice"},"Action":"sts:AssumeRole"}]}`)
	f.Fuzz(func(t *testing.T, document string) {
		if _, err := policy.Parse(policy.Trust, document); err != nil {
			return
		}
		role := &identity.IAMRole{Trust: document, Trusted: map[string]string{}}
		s := &Service{Config: Config{Account: naming.Account{ID: "000000000000", Region: "us-east-1"}}}
		for _, arn := range namedPrincipals(document) {
			if _, _, own := s.ownPrincipal(arn); own && (strings.Contains(document, `"`+arn+`"`) || strings.Contains(document, `"`+escaped(arn)+`"`)) {
				role.Trusted[arn] = "AIDAGONEGONEGONEGONE1"
			}
		}
		now := s.trustNow(newIndex(state.IAM{}), role, s.nobody)
		if _, err := policy.Parse(policy.Trust, now); err != nil {
			t.Fatalf("%s became %s: %v", document, now, err)
		}
		for _, arn := range namedPrincipals(now) {
			if _, pinned := role.Trusted[arn]; pinned {
				t.Fatalf("%s still names %s", now, arn)
			}
		}
	})
}
