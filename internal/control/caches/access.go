package caches

import (
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// accessChange is what a request says of tokens and groups.
type accessChange struct {
	token     *identity.Secret
	strategy  string // "" only without a token
	add       string // "" for no group
	remove    []string
	removeAll bool
}

// accessChangeOf checks what can be checked without knowing the cache.
func accessChangeOf(in *ModifyReplicationGroupInput) (accessChange, error) {
	ask := accessChange{
		token: in.AuthToken, strategy: strings.ToUpper(or(in.AuthTokenUpdateStrategy, "")),
		remove: lowered(in.UserGroupIDsToRemove), removeAll: isTrue(in.RemoveUserGroups),
	}
	if ask.token != nil && in.AuthTokenUpdateStrategy == nil {
		ask.strategy = strategyRotate // the default (ElastiCache API, ModifyReplicationGroup)
	}
	if err := ask.checkStrategy(in.AuthTokenUpdateStrategy != nil); err != nil {
		return accessChange{}, err
	}
	var err error
	if ask.add, err = oneGroup("UserGroupIdsToAdd", in.UserGroupIDsToAdd); err != nil {
		return accessChange{}, err
	}
	if err := texts("UserGroupIdsToRemove", in.UserGroupIDsToRemove); err != nil {
		return accessChange{}, err
	}
	if ask.token != nil && ask.add != "" {
		return accessChange{}, tokenAndGroup("UserGroupIdsToAdd")
	}
	return ask, nil
}

func (ask accessChange) checkStrategy(given bool) error {
	switch ask.strategy {
	case "":
		if given {
			return invalid("AuthTokenUpdateStrategy", "valid values are ROTATE, SET, DELETE.")
		}
	case strategyRotate, strategySet:
		if ask.token == nil {
			return identity.Errorf(identity.InvalidParameterCombination,
				"AuthTokenUpdateStrategy %s requires AuthToken.", ask.strategy)
		}
	case strategyDelete:
		if ask.token != nil {
			return identity.Errorf(identity.InvalidParameterCombination,
				"AuthToken can't be passed with AuthTokenUpdateStrategy DELETE, which removes all tokens.")
		}
	default:
		return invalid("AuthTokenUpdateStrategy", "valid values are ROTATE, SET, DELETE.")
	}
	if ask.token != nil {
		return checkToken(*ask.token)
	}
	return nil
}

// oneGroup returns the group of a list that may have one, in lower case.
func oneGroup(field string, ids []string) (string, error) {
	switch {
	case len(ids) == 0:
		return "", nil
	case len(ids) > 1:
		return "", identity.Errorf(identity.InvalidParameterCombination,
			"Only one user group can be associated with a replication group; %s has %d.", field, len(ids))
	case ids[0] == "":
		return "", invalid(field, "a user group id must not be empty.")
	}
	return strings.ToLower(ids[0]), nil
}

func lowered(ids []string) []string {
	lower := make([]string, len(ids))
	for i, id := range ids {
		lower[i] = strings.ToLower(id)
	}
	return lower
}

func tokenAndGroup(field string) error {
	return identity.Errorf(identity.InvalidParameterCombination,
		"AuthToken and %s can't be passed together: a replication group is accessed with AUTH tokens or with a user group.", field)
}

// changesAccess reports whether the request is about access at all.
func (ask accessChange) changesAccess() bool {
	return ask.strategy != "" || ask.add != "" || len(ask.remove) > 0 || ask.removeAll
}

// decided is the outcome of an accessChange.
type decided struct {
	next    identity.Access
	changed bool
	// repeated says that a token change asked for what is in force already.
	repeated bool
	token    match // what the token was before, when there is one
}

// decide answers an accessChange on a cache whose access is from.
func (s *Service) decide(id string, from identity.Access, ask accessChange) (decided, error) {
	for _, group := range ask.remove {
		if group != from.GroupID {
			return decided{}, identity.Errorf(identity.InvalidParameterValue,
				"User group %.80s is not associated with replication group %s.", group, id)
		}
	}
	stays := from.GroupID // the group that the request leaves attached
	if ask.removeAll || len(ask.remove) > 0 {
		stays = ""
	}
	switch {
	case ask.strategy == strategyDelete:
		return replaceTokens(from, ask)
	case ask.token != nil:
		return s.changeToken(from, ask, stays)
	default:
		return changeGroup(id, from, ask, stays)
	}
}

// replaceTokens answers DELETE, which is for the way from tokens to a group.
func replaceTokens(from identity.Access, ask accessChange) (decided, error) {
	if len(from.Tokens) == 0 || ask.add == "" {
		return decided{}, identity.Errorf(identity.InvalidParameterValue, "Auth token update strategy delete is not supported currently")
	}
	next := identity.Access{State: identity.RBAC, GroupID: ask.add, Strategy: strategyDelete}
	return decided{next: fresh(from, next), changed: true}, nil
}

func (s *Service) changeToken(from identity.Access, ask accessChange, stays string) (decided, error) {
	if stays != "" {
		return decided{}, identity.Errorf(identity.InvalidParameterCombination,
			"Auth tokens can't be enabled with a user group already associated. Pass RemoveUserGroups to proceed.")
	}
	is, digest := s.matchOf(from.Tokens, *ask.token)
	next := identity.Access{
		State: identity.RequiredOne, Strategy: ask.strategy, Attached: from.Attached, From: from.From,
		Tokens: []identity.Digest{digest},
	}
	switch steps[step{from.State, ask.strategy, is}] {
	case moveStay:
		return decided{next: from, repeated: true, token: is}, nil
	case moveRotate:
		next.Tokens, next.State = rotated(from, digest)
	case moveSet:
	case moveDirect:
		if !s.config.DirectSet {
			return decided{}, setNeedsRotate(from.State)
		}
	}
	if from.State == identity.RBAC {
		next = fresh(from, next)
	}
	return decided{next: next, changed: true, token: is}, nil
}

func setNeedsRotate(from identity.AuthState) error {
	has := "it has no AUTH token"
	if from == identity.RequiredOne {
		has = "it has one AUTH token, and it is not this one"
	}
	return identity.Errorf(identity.InvalidParameterValue,
		"Auth token update strategy set is not supported currently: the replication group must have two AUTH tokens or an optional one, and %s. Pass this AuthToken with strategy ROTATE first, then with SET.", has)
}

// matchOf compares token with all that a cache has, and returns its digest: the
// one that the cache has already, or a new one.
func (s *Service) matchOf(tokens []identity.Digest, token identity.Secret) (match, identity.Digest) {
	for i := range tokens {
		switch {
		case !s.key.Matches(&tokens[i], []byte(token.Reveal())):
			continue
		case i == len(tokens)-1:
			return newest, tokens[i]
		default:
			return older, tokens[i]
		}
	}
	return other, s.key.Digest(token)
}

// changeGroup answers a request without a token: attach, detach, swap.
func changeGroup(id string, from identity.Access, ask accessChange, stays string) (decided, error) {
	switch {
	case ask.add != "" && len(from.Tokens) > 0:
		return decided{}, identity.Errorf(identity.InvalidParameterCombination,
			"User group can't be associated with auth token enabled. Pass AuthStrategy delete to proceed.")
	case ask.add != "" && stays != "" && ask.add != stays:
		return decided{}, identity.Errorf(identity.InvalidParameterCombination,
			"Only one user group can be associated with replication group %s. Pass UserGroupIdsToRemove with %s to replace it.", id, stays)
	}
	wanted := stays
	if ask.add != "" {
		wanted = ask.add
	}
	if wanted == from.GroupID {
		return decided{next: from}, nil
	}
	if wanted == "" {
		return decided{next: fresh(from, identity.Access{State: identity.AuthNone}), changed: true}, nil
	}
	return decided{next: fresh(from, identity.Access{State: identity.RBAC, GroupID: wanted}), changed: true}, nil
}

// tokenPunctuation is what an AUTH token may have beside letters and digits
// (ElastiCache API, CreateReplicationGroup: AuthToken).
const tokenPunctuation = "!&#$^<>-"

// Length of an AUTH token in characters (ElastiCache user guide, "AUTH command").
const (
	minToken = 16
	maxToken = 128
)

// checkToken holds a token to the rules that AWS enforces.
func checkToken(token identity.Secret) error {
	text := token.Reveal()
	right := len(text) >= minToken && len(text) <= maxToken
	for i := range len(text) {
		right = right && classOf(text[i]) != 0
	}
	if !right {
		return identity.Errorf(identity.InvalidParameterValue, "Invalid AuthToken provided.")
	}
	return nil
}

// wantedClasses is how many of the four character classes the guide recommends.
const wantedClasses = 3

// isWeak reports whether token has fewer classes than the guide recommends.
func isWeak(token identity.Secret) bool {
	var classes []byte
	for _, c := range []byte(token.Reveal()) {
		if class := classOf(c); !slices.Contains(classes, class) {
			classes = append(classes, class)
		}
	}
	return len(classes) < wantedClasses
}

// classOf returns a letter for the class of a token's character, 0 if it may
// not be in one.
func classOf(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return 'A'
	case c >= 'a' && c <= 'z':
		return 'a'
	case c >= '0' && c <= '9':
		return '0'
	case strings.IndexByte(tokenPunctuation, c) >= 0:
		return '!'
	default:
		return 0
	}
}
