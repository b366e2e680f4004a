package state

import (
	"maps"
	"strings"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// IAM is the part of a View that says who there is and what they may do.
type IAM struct {
	// Rev is the revision at which anything here but KeyUses last changed. It
	// is never older than the change; after a reload it may be newer.
	Rev       int64
	Users     map[string]*identity.IAMUser      // by name in lower case, as IAM compares names
	Groups    map[string]*identity.IAMGroup     // by name in lower case
	Roles     map[string]*identity.IAMRole      // by name in lower case
	Policies  map[string]*identity.IAMPolicy    // by name in lower case
	Keys      map[string]*identity.AccessKey    // by id
	KeyUses   map[string]*identity.AccessKeyUse // by the key's id
	Providers map[string]*identity.OIDCProvider // by URL
}

func newIAM(rev int64) IAM {
	return IAM{
		Rev:       rev,
		Users:     map[string]*identity.IAMUser{},
		Groups:    map[string]*identity.IAMGroup{},
		Roles:     map[string]*identity.IAMRole{},
		Policies:  map[string]*identity.IAMPolicy{},
		Keys:      map[string]*identity.AccessKey{},
		KeyUses:   map[string]*identity.AccessKeyUse{},
		Providers: map[string]*identity.OIDCProvider{},
	}
}

func (v *IAM) clone() IAM {
	return IAM{
		Rev:       v.Rev,
		Users:     maps.Clone(v.Users),
		Groups:    maps.Clone(v.Groups),
		Roles:     maps.Clone(v.Roles),
		Policies:  maps.Clone(v.Policies),
		Keys:      maps.Clone(v.Keys),
		KeyUses:   maps.Clone(v.KeyUses),
		Providers: maps.Clone(v.Providers),
	}
}

// iamKeyOf returns the record key of one of IAM's nouns, "" for any other.
func iamKeyOf(noun any) string {
	switch n := noun.(type) {
	case *identity.IAMUser:
		return iamUserPrefix + strings.ToLower(n.Name)
	case *identity.IAMGroup:
		return iamGroupPrefix + strings.ToLower(n.Name)
	case *identity.IAMRole:
		return iamRolePrefix + strings.ToLower(n.Name)
	case *identity.IAMPolicy:
		return policyPrefix + strings.ToLower(n.Name)
	case *identity.AccessKey:
		return keyPrefix + n.ID
	case *identity.AccessKeyUse:
		return keyUsePrefix + n.KeyID
	case *identity.OIDCProvider:
		return providerPrefix + n.URL
	default:
		return ""
	}
}

func (v *IAM) place(noun any, gone bool) {
	switch n := noun.(type) {
	case *identity.IAMUser:
		placeIn(v.Users, strings.ToLower(n.Name), n, gone)
	case *identity.IAMGroup:
		placeIn(v.Groups, strings.ToLower(n.Name), n, gone)
	case *identity.IAMRole:
		placeIn(v.Roles, strings.ToLower(n.Name), n, gone)
	case *identity.IAMPolicy:
		placeIn(v.Policies, strings.ToLower(n.Name), n, gone)
	case *identity.AccessKey:
		placeIn(v.Keys, n.ID, n, gone)
	case *identity.AccessKeyUse:
		placeIn(v.KeyUses, n.KeyID, n, gone)
	case *identity.OIDCProvider:
		placeIn(v.Providers, n.URL, n, gone)
	}
}

func iamNounFor(key string) any {
	switch {
	case strings.HasPrefix(key, iamUserPrefix):
		return new(identity.IAMUser)
	case strings.HasPrefix(key, iamGroupPrefix):
		return new(identity.IAMGroup)
	case strings.HasPrefix(key, iamRolePrefix):
		return new(identity.IAMRole)
	case strings.HasPrefix(key, policyPrefix):
		return new(identity.IAMPolicy)
	case strings.HasPrefix(key, keyPrefix):
		return new(identity.AccessKey)
	case strings.HasPrefix(key, keyUsePrefix):
		return new(identity.AccessKeyUse)
	case strings.HasPrefix(key, providerPrefix):
		return new(identity.OIDCProvider)
	default:
		return nil
	}
}

func (tx *Tx) touchesIAM() bool {
	for _, keys := range []map[string]any{tx.puts, tx.gone} {
		for key := range keys {
			if strings.HasPrefix(key, iamPrefix) {
				return true
			}
		}
	}
	return false
}
