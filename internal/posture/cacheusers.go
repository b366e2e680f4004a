package posture

import "strings"

// UserOpen says whether an ElastiCache user lets somebody in without a password:
// its access string has it on, and its authentication asks for nothing. The
// source of the rule is the ElastiCache user guide on RBAC (NoPasswordRequired,
// AuthenticationMode). passwords is Secret() when there are any.
func UserOpen(accessString, noPassword, mode, passwords Value) Value {
	if accessString.IsKnown() && !startsOn(accessString.Text()) {
		return Flag(false)
	}
	open := noPasswordNeeded(noPassword, mode, passwords)
	if open.True() && accessString.IsUnknown() {
		return accessString
	}
	return open
}

func noPasswordNeeded(noPassword, mode, passwords Value) Value {
	switch {
	case noPassword.True(), strings.EqualFold(mode.Text(), "no-password-required"), strings.EqualFold(mode.Text(), "no-password"):
		return Flag(true)
	case mode.Set(), passwords.Set():
		return Flag(false)
	case noPassword.IsUnknown():
		return noPassword
	case mode.IsUnknown():
		return mode
	case passwords.IsUnknown():
		return passwords
	}
	return Unknown("the user has neither a password nor an authentication mode", "AuthenticationMode")
}

// startsOn reads the on or off of an access string; later words win, and a user
// without either word is off.
func startsOn(accessString string) bool {
	on := false
	for word := range strings.FieldsSeq(accessString) {
		switch strings.ToLower(word) {
		case "on":
			on = true
		case "off":
			on = false
		}
	}
	return on
}

// ExtraAuthType finds authType in DMS extra connection attributes
// ("retries=3;authType=NO"); nothing else of them is kept, because they may hold
// secrets.
func ExtraAuthType(attributes string) Value {
	for pair := range strings.SplitSeq(attributes, ";") {
		name, value, ok := strings.Cut(pair, "=")
		if ok && strings.EqualFold(strings.TrimSpace(name), "authType") {
			return Text(strings.ToLower(strings.TrimSpace(value)))
		}
	}
	return Absent()
}
