package naming

import (
	"strings"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// Account is where resources live: the part of an ARN that all of them share.
type Account struct {
	ID     string // twelve digits
	Region string
}

// Kind is a resource type as it appears in an ARN.
type Kind string

// The resource types of ElastiCache that Gatehouse knows
// (Service Authorization Reference, "Resource types defined by Amazon ElastiCache").
const (
	User             Kind = "user"
	UserGroup        Kind = "usergroup"
	ReplicationGroup Kind = "replicationgroup"
	Cluster          Kind = "cluster"
	SubnetGroup      Kind = "subnetgroup"
	ParameterGroup   Kind = "parametergroup"
)

const service = "elasticache"

// Resource is what an ARN names.
type Resource struct {
	Kind Kind
	ID   string // lower case
}

// Partition returns the AWS partition that a region of that name belongs to.
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}

// ARN returns the ARN of a resource of this account.
func (a Account) ARN(kind Kind, id string) string {
	return a.prefix() + string(kind) + ":" + id
}

func (a Account) prefix() string {
	return strings.Join([]string{"arn", Partition(a.Region), service, a.Region, a.ID, ""}, ":")
}

// Parse reads an ARN. One that is malformed, of another service, account or
// region, or of a resource type that Gatehouse does not know is
// identity.InvalidARN. Whether the resource exists is not looked at.
func (a Account) Parse(arn string) (Resource, error) {
	rest, ok := strings.CutPrefix(arn, a.prefix())
	kind, id, found := strings.Cut(rest, ":")
	if !ok || !found || !known(Kind(kind)) || !isARNID(id) {
		return Resource{}, identity.Errorf(identity.InvalidARN, "ARN %s is invalid.", Shorten(arn))
	}
	return Resource{Kind: Kind(kind), ID: strings.ToLower(id)}, nil
}

func known(kind Kind) bool {
	switch kind {
	case User, UserGroup, ReplicationGroup, Cluster, SubnetGroup, ParameterGroup:
		return true
	default:
		return false
	}
}

// isARNID allows what identifiers are made of, and the dot that the
// service's own ones have (default.redis7).
func isARNID(id string) bool {
	if id == "" || len(id) > maxARNID {
		return false
	}
	for i := range len(id) {
		if c := id[i]; !isLetter(c) && !isDigit(c) && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

// maxARNID is the longest identifier of any resource (parameter and subnet groups).
const maxARNID = 255

// Shorten makes text of a request fit for an error message: not too long, and
// valid UTF-8.
func Shorten(text string) string {
	const most = 200
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.ToValidUTF8(text, "?")
}
