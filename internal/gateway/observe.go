package gateway

import (
	"strconv"
	"time"

	"github.com/gatehouse/gatehouse/internal/credential"
)

// Method is how a session logged in.
type Method string

// The methods. A user of RBAC that needs no password is NoPassword; the user
// "default" of a cache without a credential is Anonymous even if it said AUTH.
const (
	Anonymous  Method = "anonymous"
	NoPassword Method = "no-password"
	Token      Method = "token"
	Password   Method = "password"
	OneUse     Method = "ticket"
	IAM        Method = "iam"
)

// Outcome is what became of a login or a session.
type Outcome string

// The outcomes.
const (
	Accepted        Outcome = "accepted"
	Reauthenticated Outcome = "reauthenticated"
	Refused         Outcome = "refused"
	LoggedOut       Outcome = "logged out"
	Revoked         Outcome = "revoked"
)

// LoginEvent is one entry of the story of who came in. It holds no secret: a
// name that no user has may be a mistyped password and is shown in part.
type LoginEvent struct {
	Time      time.Time
	Cache     string
	Node      string
	User      string
	Principal string // the ARN of an IAM login
	Peer      string
	Method    Method // "" for a refusal
	Outcome   Outcome
	Reason    string // in plain words
}

// Observer is told of every login event. It is called on the connection's
// goroutine and must not block.
type Observer interface {
	Login(event LoginEvent)
}

// shownUser is the form of a tried user name that may be written down: whole
// if a user has it, otherwise its beginning and a keyed fingerprint, against
// which nobody without the key can try guesses.
func shownUser(key *credential.Key, name string, known bool) string {
	if known {
		return printable(name)
	}
	const shown = 3
	return printable(name[:min(len(name), shown)]) + "…#" + key.Fingerprint(name)
}

// printable escapes control bytes and what is not UTF-8.
func printable(text string) string {
	quoted := strconv.Quote(text)
	return quoted[1 : len(quoted)-1]
}
