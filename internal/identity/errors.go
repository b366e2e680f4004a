package identity

import (
	"errors"
	"fmt"
)

// Kind classifies an error that a caller of the API caused. The border
// translates it, once, into the AWS error code and HTTP status; everything that
// is not an *Error is an internal failure.
type Kind string

// Kinds that every noun shares.
const (
	MissingParameter            Kind = "missing parameter"
	InvalidParameterValue       Kind = "invalid parameter value"
	InvalidParameterCombination Kind = "invalid parameter combination"
	InvalidARN                  Kind = "invalid ARN"
	TagNotFound                 Kind = "tag not found"
	TagQuota                    Kind = "tag quota exceeded"
	AccessDenied                Kind = "access denied"
	Throttled                   Kind = "throttled"
	Unavailable                 Kind = "unavailable"
)

// Kinds of users and user groups.
const (
	UserNotFound          Kind = "user not found"
	UserExists            Kind = "user exists"
	UserState             Kind = "user state"
	UserQuota             Kind = "user quota exceeded"
	DuplicateUserName     Kind = "duplicate user name"
	DefaultUserRequired   Kind = "default user required"
	DefaultUserAssociated Kind = "default user associated to a group"
	UserGroupNotFound     Kind = "user group not found"
	UserGroupExists       Kind = "user group exists"
	UserGroupState        Kind = "user group state"
	UserGroupQuota        Kind = "user group quota exceeded"
)

// Kinds of caches and what belongs to them.
const (
	ReplicationGroupNotFound Kind = "replication group not found"
	ReplicationGroupExists   Kind = "replication group exists"
	ReplicationGroupState    Kind = "replication group state"
	CacheClusterNotFound     Kind = "cache cluster not found"
	CacheClusterExists       Kind = "cache cluster exists"
	CacheClusterState        Kind = "cache cluster state"
	SubnetGroupNotFound      Kind = "cache subnet group not found"
	SubnetGroupExists        Kind = "cache subnet group exists"
	SubnetGroupInUse         Kind = "cache subnet group in use"
	SubnetGroupQuota         Kind = "cache subnet group quota exceeded"
	ParameterGroupNotFound   Kind = "cache parameter group not found"
	ParameterGroupExists     Kind = "cache parameter group exists"
	ParameterGroupState      Kind = "cache parameter group state"
	ParameterGroupQuota      Kind = "cache parameter group quota exceeded"
	NodeQuota                Kind = "node quota exceeded"
	InsufficientCapacity     Kind = "insufficient capacity"
	NodeGroupNotFound        Kind = "node group not found"
	TestFailoverNotAvailable Kind = "test failover not available"
	NoOperation              Kind = "no operation"
)

// Kinds of IAM's nouns and of sessions.
const (
	NoSuchEntity         Kind = "no such entity"
	EntityExists         Kind = "entity exists"
	DeleteConflict       Kind = "delete conflict"
	LimitExceeded        Kind = "limit exceeded"
	InvalidInput         Kind = "invalid input"
	Malformed            Kind = "malformed policy document"
	ValidationError      Kind = "validation error"
	PackedPolicyTooLarge Kind = "packed policy too large"
)

// Error is a refusal that the caller can act on.
type Error struct {
	Kind    Kind
	Message string // shown to the caller; names the field and the rule
}

func (e *Error) Error() string { return e.Message }

// Errorf makes an Error.
func Errorf(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// KindOf returns the kind of err, or "" when it is not an *Error.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}
