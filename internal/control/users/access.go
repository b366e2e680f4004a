package users

import (
	"github.com/gatehouse/gatehouse/internal/acl"
	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// newAccessString checks an access string and returns the form to store.
func newAccessString(engine identity.Engine, text string) (string, error) {
	if text == "" {
		return "", naming.Missing("AccessString")
	}
	access, err := acl.Parse(engine, text)
	if err != nil {
		return "", err
	}
	return access.String(), nil
}

// changedAccessString returns the access string after a modification: a new
// one, the old one with something appended, or the old one as it is, which the
// engine that the user is to have must know.
func changedAccessString(engine identity.Engine, old string, in *ModifyUserInput) (string, error) {
	switch {
	case in.AccessString != nil && in.AppendAccessString != nil:
		return "", identity.Errorf(identity.InvalidParameterCombination,
			"AccessString and AppendAccessString cannot be given together. Use only one of them.")
	case in.AccessString != nil:
		return newAccessString(engine, *in.AccessString)
	case in.AppendAccessString != nil:
		access, err := acl.Append(engine, old, *in.AppendAccessString)
		if err != nil {
			return "", err
		}
		return access.String(), nil
	case in.Engine != nil:
		return newAccessString(engine, old)
	default:
		return old, nil
	}
}
