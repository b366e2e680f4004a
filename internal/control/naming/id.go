package naming

import (
	"strings"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// MaxID is the longest identifier of a user, user group or cache
// (ElastiCache API, CreateReplicationGroup; users and groups have been seen to
// share it, aws-cdk#36459). Subnet and parameter groups have MaxGroupName.
const (
	MaxID        = 40
	MaxGroupName = 255
)

// ID checks an identifier for a new resource and returns it as it is stored, in
// lower case. field is the API's name of the parameter, most the longest length.
func ID(field, id string, most int) (string, error) {
	if strings.TrimSpace(id) == "" {
		return "", Missing(field)
	}
	if !IsID(id) {
		return "", identity.Errorf(identity.InvalidParameterValue,
			"The parameter %s is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.", field)
	}
	if len(id) > most {
		return "", identity.Errorf(identity.InvalidParameterValue,
			"The parameter %s is not a valid identifier because it is longer than %d characters.", field, most)
	}
	return strings.ToLower(id), nil
}

// IsID reports whether id has the shape of an identifier, of whatever length.
func IsID(id string) bool {
	if id == "" || !isLetter(id[0]) || strings.HasSuffix(id, "-") || strings.Contains(id, "--") {
		return false
	}
	for i := range len(id) {
		if c := id[i]; !isLetter(c) && !isDigit(c) && c != '-' {
			return false
		}
	}
	return true
}

// Missing is the refusal of a request without a required parameter.
func Missing(field string) error {
	return identity.Errorf(identity.MissingParameter, "The parameter %s must be provided and must not be blank.", field)
}

// Engine reads an engine name in any case.
func Engine(name string) (identity.Engine, error) {
	engine, ok := identity.ParseEngine(name)
	if !ok {
		return "", identity.Errorf(identity.InvalidParameterValue,
			"Invalid value for parameter Engine: %s. Valid values are: redis, valkey.", Shorten(name))
	}
	return engine, nil
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
