package state

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/store"
)

// Keys of the store. The version in the root changes when records of an older
// program can no longer be read as they are.
const (
	root           = "/gatehouse/v1/"
	guardKey       = root + "guard"
	userPrefix     = root + "user/"
	groupPrefix    = root + "usergroup/"
	cachePrefix    = root + "replicationgroup/"
	subnetPrefix   = root + "subnetgroup/"
	paramPrefix    = root + "parametergroup/"
	iamPrefix      = root + "iam/"
	iamUserPrefix  = iamPrefix + "user/"
	iamGroupPrefix = iamPrefix + "group/"
	iamRolePrefix  = iamPrefix + "role/"
	policyPrefix   = iamPrefix + "policy/"
	keyPrefix      = iamPrefix + "accesskey/"
	providerPrefix = iamPrefix + "oidcprovider/"
	keyUsePrefix   = root + "accesskeyuse/"  // outside iamPrefix: it is no change of an identity
	eventPrefix    = "/gatehouse/v1-events/" // outside root: events are not part of a View
	eventKeyFormat = eventPrefix + "%020d-%06d"
)

// keyOf returns the record key of a noun.
func keyOf(noun any) string {
	switch n := noun.(type) {
	case *identity.User:
		return userPrefix + n.ID
	case *identity.UserGroup:
		return groupPrefix + n.ID
	case *identity.ReplicationGroup:
		return cachePrefix + n.ID
	case *identity.SubnetGroup:
		return subnetPrefix + n.Name
	case *identity.ParameterGroup:
		return paramPrefix + n.Name
	default:
		if key := iamKeyOf(noun); key != "" {
			return key
		}
		panic(fmt.Sprintf("state: %T is not a noun", noun))
	}
}

// place puts a noun into the view or, when gone, takes it out.
func (v *View) place(noun any, rev int64, gone bool) {
	switch n := noun.(type) {
	case *identity.User:
		placeIn(v.Users, n.ID, n, gone)
	case *identity.UserGroup:
		placeIn(v.UserGroups, n.ID, n, gone)
	case *identity.ReplicationGroup:
		placeIn(v.ReplicationGroups, n.ID, n, gone)
	case *identity.SubnetGroup:
		placeIn(v.SubnetGroups, n.Name, n, gone)
	case *identity.ParameterGroup:
		placeIn(v.ParameterGroups, n.Name, n, gone)
	default:
		v.IAM.place(noun, gone)
	}
	if gone {
		delete(v.revs, keyOf(noun))
	} else {
		v.revs[keyOf(noun)] = rev
	}
}

func placeIn[V any](m map[string]V, id string, value V, gone bool) {
	if gone {
		delete(m, id)
	} else {
		m[id] = value
	}
}

// read builds a view from all records under root.
func read(records []store.Record, rev int64) (*View, error) {
	v := &View{
		Rev:               rev,
		Users:             map[string]*identity.User{},
		UserGroups:        map[string]*identity.UserGroup{},
		ReplicationGroups: map[string]*identity.ReplicationGroup{},
		SubnetGroups:      map[string]*identity.SubnetGroup{},
		ParameterGroups:   map[string]*identity.ParameterGroup{},
		IAM:               newIAM(rev),
		revs:              map[string]int64{},
	}
	for _, record := range records {
		noun := nounFor(record.Key)
		if noun == nil {
			v.revs[record.Key] = record.Rev
			continue
		}
		if err := json.Unmarshal(record.Value, noun); err != nil {
			return nil, fmt.Errorf("state: reading record %s: %w", record.Key, err)
		}
		v.place(noun, record.Rev, false)
	}
	return v, nil
}

func nounFor(key string) any {
	switch {
	case strings.HasPrefix(key, userPrefix):
		return new(identity.User)
	case strings.HasPrefix(key, groupPrefix):
		return new(identity.UserGroup)
	case strings.HasPrefix(key, cachePrefix):
		return new(identity.ReplicationGroup)
	case strings.HasPrefix(key, subnetPrefix):
		return new(identity.SubnetGroup)
	case strings.HasPrefix(key, paramPrefix):
		return new(identity.ParameterGroup)
	default:
		return iamNounFor(key)
	}
}
