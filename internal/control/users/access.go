package users

import (
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// newAccessString checks an access string and returns the form to store.
func newAccessString(text string) (string, error) {
	if strings.TrimSpace(text) == "" {
		return "", naming.Missing("AccessString")
	}
	return text, nil
}

// changedAccessString returns the access string after a modification that gives
// a new one or something to append to the old one.
func changedAccessString(old string, replace, add *string) (string, error) {
	if replace != nil && add != nil {
		return "", identity.Errorf(identity.InvalidParameterCombination,
			"AccessString and AppendAccessString cannot be given together. Use only one of them.")
	}
	if replace != nil {
		return newAccessString(*replace)
	}
	if strings.TrimSpace(*add) == "" {
		return "", naming.Missing("AppendAccessString")
	}
	return old + " " + *add, nil
}
