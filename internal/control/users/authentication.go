package users

import (
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/credential"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// Rules of passwords (ElastiCache user guide, "Role-Based Access Control", and
// API, CreateUser).
const (
	minPassword  = 16 // characters
	maxPasswords = 2
	// notInPasswords are the printable characters that a password may not have.
	notInPasswords = `,"/@`
)

// maxName bounds user names. AWS states no limit; this one is far above any
// name in use and keeps names fit for logs and for CLIENT LIST.
const maxName = 128

// Authentication is how a request says in which way a user proves who it is:
// the older two parameters, or Mode. A nil field was not given.
type Authentication struct {
	Passwords          []identity.Secret
	NoPasswordRequired *bool
	Mode               *AuthenticationMode
}

// AuthenticationMode is the newer way. A nil field was not given.
type AuthenticationMode struct {
	Type      *string
	Passwords []identity.Secret
}

func (a *Authentication) given() bool {
	return a.Passwords != nil || a.NoPasswordRequired != nil || a.Mode != nil
}

// decide derives the authentication type and the passwords that were asked for.
// The order of the checks is the one in which AWS has been seen to report.
func (a *Authentication) decide() (identity.AuthType, []identity.Secret, error) {
	passwords := a.Passwords
	kind := a.kind()
	if a.Mode != nil && len(a.Mode.Passwords) > 0 {
		if len(passwords) > 0 {
			return "", nil, identity.Errorf(identity.InvalidParameterCombination, "Passwords provided via multiple arguments. Use only one argument")
		}
		passwords = a.Mode.Passwords
	}
	if err := checkPasswords(passwords); err != nil {
		return "", nil, err
	}
	if a.Mode == nil && a.NoPasswordRequired == nil && a.Passwords != nil && len(passwords) == 0 {
		return "", nil, identity.Errorf(identity.InvalidParameterValue,
			"No password was provided. If you want to create/update the user without password, please use the NoPasswordRequired flag.")
	}
	switch identity.AuthType(kind) {
	case identity.AuthPassword, identity.AuthNoPassword, identity.AuthIAM:
	default:
		return "", nil, identity.Errorf(identity.InvalidParameterValue,
			"Input Authentication type: %s is not in the allowed list: [password,no-password-required,iam]", naming.Shorten(kind))
	}
	auth := identity.AuthType(kind)
	switch {
	case a.NoPasswordRequired != nil && *a.NoPasswordRequired && auth != identity.AuthNoPassword:
		return "", nil, identity.Errorf(identity.InvalidParameterCombination,
			"No password required flag is true but provided authentication type is %s", auth)
	case len(passwords) > 0 && auth != identity.AuthPassword:
		return "", nil, identity.Errorf(identity.InvalidParameterCombination,
			"Password field is not allowed with authentication type: %s", auth)
	case len(passwords) == 0 && auth == identity.AuthPassword:
		return "", nil, identity.Errorf(identity.InvalidParameterCombination,
			"A user with Authentication Mode: password, must have at least one password")
	}
	return auth, passwords, nil
}

// kind is the authentication type in the request's words, "null" when there is none.
func (a *Authentication) kind() string {
	switch {
	case a.Mode != nil && a.Mode.Type != nil:
		return *a.Mode.Type
	case a.Mode != nil:
		return "null"
	case len(a.Passwords) > 0:
		return string(identity.AuthPassword)
	case a.NoPasswordRequired != nil && *a.NoPasswordRequired:
		return string(identity.AuthNoPassword)
	case a.NoPasswordRequired != nil:
		return string(identity.AuthPassword)
	default:
		return "null"
	}
}

func checkPasswords(passwords []identity.Secret) error {
	if len(passwords) > maxPasswords {
		return identity.Errorf(identity.InvalidParameterValue, "A user can have at most %d passwords.", maxPasswords)
	}
	for _, password := range passwords {
		text := password.Reveal()
		if len(text) < minPassword || len(text) > credential.MaxPassword {
			return identity.Errorf(identity.InvalidParameterValue, "Passwords length must be between 16-128 characters.")
		}
		if !isPrintable(text) || strings.ContainsAny(text, notInPasswords) {
			return identity.Errorf(identity.InvalidParameterValue,
				"Passwords may contain only printable ASCII characters, and none of: , \" / @")
		}
	}
	return nil
}

func isPrintable(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// checkName judges a user name. Only visible ASCII: the engine refuses spaces
// and NUL in names (acl.c, ACLSetUser), CLIENT LIST separates its fields by
// spaces, and names that merely look alike would deceive whoever reads a log.
func checkName(name string) error {
	switch {
	case name == "":
		return naming.Missing("UserName")
	case len(name) > maxName:
		return identity.Errorf(identity.InvalidParameterValue, "UserName must not be longer than %d characters.", maxName)
	case !isPrintable(name) || strings.Contains(name, " "):
		return identity.Errorf(identity.InvalidParameterValue, "UserName may contain only visible ASCII characters, and no spaces.")
	case strings.HasPrefix(name, identity.InternalPrefix):
		return identity.Errorf(identity.InvalidParameterValue, "UserName must not begin with %s, which is reserved.", identity.InternalPrefix)
	}
	return nil
}

// checkAuth judges whether the user's authentication type goes with the rest of it.
func checkAuth(user *identity.User) error {
	switch {
	case user.Auth == identity.AuthIAM && user.ID != user.Name:
		return identity.Errorf(identity.InvalidParameterCombination, "User Id and User name must be same for authentication type: iam")
	case user.Auth == identity.AuthNoPassword && user.Engine == identity.Valkey:
		return identity.Errorf(identity.InvalidParameterCombination,
			"Authentication type no-password-required is not allowed for users with engine valkey. Use password or iam.")
	}
	return nil
}

// setPasswords replaces the user's passwords. One that it has already keeps its
// digest; one that is new is remembered, and an event says when it was used
// before or is a variation of an earlier one (advice, as in AWS: not a refusal).
func (s *Service) setPasswords(tx *state.Tx, user *identity.User, passwords []identity.Secret) {
	var digests []identity.Digest
	has := func(digests []identity.Digest, password identity.Secret) int {
		return slices.IndexFunc(digests, func(d identity.Digest) bool { return s.key.Matches(&d, []byte(password.Reveal())) })
	}
	for _, password := range passwords {
		if has(digests, password) >= 0 {
			continue // given twice: the engines, too, hold a user's passwords as a set
		}
		if i := has(user.Passwords, password); i >= 0 {
			digests = append(digests, user.Passwords[i])
			continue
		}
		if same, similar := s.key.Resembles(user.Past, password); same {
			tx.Event(userSource, user.ID, "A new password of user %s is one that the user had before. Use a password that was not used before.", user.ID)
		} else if similar {
			tx.Event(userSource, user.ID, "A new password of user %s is only a variation of one of its last passwords. Use a different password.", user.ID)
		}
		digests = append(digests, s.key.Digest(password))
		user.Past = s.key.Remember(user.Past, password, s.clock.Now().UTC())
	}
	user.Passwords = digests
}
