package awsapi

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gatehouse/gatehouse/internal/awsapi/query"
	"github.com/gatehouse/gatehouse/internal/awsapi/rpc"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/sigv4"
)

// Fault is an error as a caller sees it.
type Fault struct {
	Code    string
	Status  int
	Message string
}

func (f *Fault) Error() string { return f.Code + ": " + f.Message }

// sender reports whether the caller is at fault rather than the server.
func (f *Fault) sender() bool { return f.Status < http.StatusInternalServerError }

type codeAndStatus struct {
	code   string
	status int
}

// kinds translates the kinds of error into AWS's codes and HTTP status. The
// codes are those of the ElastiCache model, with its own inconsistencies
// (UserNotFound, ReplicationGroupNotFoundFault; a subnet group that is not found
// is a 400), and of the API Reference's "Common Errors".
var kinds = map[identity.Kind]codeAndStatus{
	identity.MissingParameter:            {"MissingParameter", http.StatusBadRequest},
	identity.InvalidParameterValue:       {"InvalidParameterValue", http.StatusBadRequest},
	identity.InvalidParameterCombination: {"InvalidParameterCombination", http.StatusBadRequest},
	identity.InvalidARN:                  {"InvalidARN", http.StatusBadRequest},
	identity.TagNotFound:                 {"TagNotFound", http.StatusNotFound},
	identity.TagQuota:                    {"TagQuotaPerResourceExceeded", http.StatusBadRequest},
	identity.AccessDenied:                {"AccessDenied", http.StatusForbidden},
	identity.Throttled:                   {"Throttling", http.StatusBadRequest},
	identity.Unavailable:                 {"ServiceUnavailable", http.StatusServiceUnavailable},

	identity.UserNotFound:          {"UserNotFound", http.StatusNotFound},
	identity.UserExists:            {"UserAlreadyExists", http.StatusBadRequest},
	identity.UserState:             {"InvalidUserState", http.StatusBadRequest},
	identity.UserQuota:             {"UserQuotaExceeded", http.StatusBadRequest},
	identity.DuplicateUserName:     {"DuplicateUserName", http.StatusBadRequest},
	identity.DefaultUserRequired:   {"DefaultUserRequired", http.StatusBadRequest},
	identity.DefaultUserAssociated: {"DefaultUserAssociatedToUserGroup", http.StatusBadRequest},
	identity.UserGroupNotFound:     {"UserGroupNotFound", http.StatusNotFound},
	identity.UserGroupExists:       {"UserGroupAlreadyExists", http.StatusBadRequest},
	identity.UserGroupState:        {"InvalidUserGroupState", http.StatusBadRequest},
	identity.UserGroupQuota:        {"UserGroupQuotaExceeded", http.StatusBadRequest},

	identity.ReplicationGroupNotFound: {"ReplicationGroupNotFoundFault", http.StatusNotFound},
	identity.ReplicationGroupExists:   {"ReplicationGroupAlreadyExists", http.StatusBadRequest},
	identity.ReplicationGroupState:    {"InvalidReplicationGroupState", http.StatusBadRequest},
	identity.CacheClusterNotFound:     {"CacheClusterNotFound", http.StatusNotFound},
	identity.CacheClusterExists:       {"CacheClusterAlreadyExists", http.StatusBadRequest},
	identity.CacheClusterState:        {"InvalidCacheClusterState", http.StatusBadRequest},
	identity.SubnetGroupNotFound:      {"CacheSubnetGroupNotFoundFault", http.StatusBadRequest},
	identity.SubnetGroupExists:        {"CacheSubnetGroupAlreadyExists", http.StatusBadRequest},
	identity.SubnetGroupQuota:         {"CacheSubnetGroupQuotaExceeded", http.StatusBadRequest},
	identity.SubnetGroupInUse:         {"CacheSubnetGroupInUse", http.StatusBadRequest},
	identity.ParameterGroupNotFound:   {"CacheParameterGroupNotFound", http.StatusNotFound},
	identity.ParameterGroupExists:     {"CacheParameterGroupAlreadyExists", http.StatusBadRequest},
	identity.ParameterGroupQuota:      {"CacheParameterGroupQuotaExceeded", http.StatusBadRequest},
	identity.ParameterGroupState:      {"InvalidCacheParameterGroupState", http.StatusBadRequest},
	identity.NodeQuota:                {"NodeQuotaForCustomerExceeded", http.StatusBadRequest},
	identity.InsufficientCapacity:     {"InsufficientCacheClusterCapacity", http.StatusBadRequest},
	identity.NodeGroupNotFound:        {"NodeGroupNotFoundFault", http.StatusNotFound},
	identity.TestFailoverNotAvailable: {"TestFailoverNotAvailableFault", http.StatusBadRequest},
	identity.NoOperation:              {"NoOperationFault", http.StatusBadRequest},

	identity.NoSuchEntity:         {"NoSuchEntity", http.StatusNotFound},
	identity.EntityExists:         {"EntityAlreadyExists", http.StatusConflict},
	identity.DeleteConflict:       {"DeleteConflict", http.StatusConflict},
	identity.LimitExceeded:        {"LimitExceeded", http.StatusConflict},
	identity.InvalidInput:         {"InvalidInput", http.StatusBadRequest},
	identity.Malformed:            {"MalformedPolicyDocument", http.StatusBadRequest},
	identity.ValidationError:      {"ValidationError", http.StatusBadRequest},
	identity.PackedPolicyTooLarge: {"PackedPolicyTooLarge", http.StatusBadRequest},
}

// translate turns an error into what the caller sees. ok is false for an error
// that nobody meant a caller to see; the fault then says nothing of it.
func translate(err error) (fault *Fault, ok bool) {
	if errors.As(err, &fault) {
		return fault, true
	}
	var signature *sigv4.Error
	if errors.As(err, &signature) {
		return &Fault{Code: signature.Code, Status: signature.Status, Message: signature.Message}, true
	}
	var form *query.Error
	if errors.As(err, &form) {
		return &Fault{Code: form.Code, Status: http.StatusBadRequest, Message: form.Message}, true
	}
	var body *rpc.Error
	if errors.As(err, &body) {
		return &Fault{Code: body.Code, Status: http.StatusBadRequest, Message: body.Message}, true
	}
	var refusal *identity.Error
	if errors.As(err, &refusal) {
		if known, ok := kinds[refusal.Kind]; ok {
			return &Fault{Code: known.code, Status: known.status, Message: refusal.Message}, true
		}
	}
	return &Fault{
		Code: "InternalFailure", Status: http.StatusInternalServerError,
		Message: "The request processing has failed because of an unknown error, exception or failure.",
	}, false
}

func badRequest(code, format string, args ...any) error {
	return &Fault{Code: code, Status: http.StatusBadRequest, Message: fmt.Sprintf(format, args...)}
}
