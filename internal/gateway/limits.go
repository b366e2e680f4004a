package gateway

import "time"

// Limits bound what a peer can cost before and after it has logged in.
type Limits struct {
	// Clients is how many connections there may be in all, and ClientsPerAddress
	// from one address; more are refused as the engines do at maxclients.
	Clients           int
	ClientsPerAddress int
	// Strangers is how many connections of one address may be without a login.
	Strangers int
	// Handshake is the time that a TLS handshake may take.
	Handshake time.Duration
	// Login is the time that a client has for its first login, on a cache that
	// requires one.
	Login time.Duration
}

// Default limits. 65 000 is ElastiCache's own maxclients. One address may be a
// whole cluster's NAT, so it gets a quarter. A thousand strangers at once is
// more than any fleet that reconnects shows, because each logs in within
// milliseconds, and costs at most 50 MB. Ten seconds is a handshake over a very
// bad line; a minute to log in is generous to people at a terminal.
const (
	defaultClients           = 65000
	defaultClientsPerAddress = 16384
	defaultStrangers         = 1024
	defaultHandshake         = 10 * time.Second
	defaultLogin             = time.Minute
)

func (l Limits) orDefaults() Limits {
	fill := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	fill(&l.Clients, defaultClients)
	fill(&l.ClientsPerAddress, defaultClientsPerAddress)
	fill(&l.Strangers, defaultStrangers)
	if l.Handshake == 0 {
		l.Handshake = defaultHandshake
	}
	if l.Login == 0 {
		l.Login = defaultLogin
	}
	return l
}

// Times and sizes that nobody needs to set.
const (
	// engineWait is how long a login waits for an engine that is restarting:
	// longer than a restart takes, shorter than clients' own timeouts.
	engineWait = 3 * time.Second
	// engineRetry is the pause between two tries to reach it.
	engineRetry = 50 * time.Millisecond
	// answerTimeout bounds writing the gateway's own answers to a client.
	answerTimeout = 10 * time.Second
	// lingerTimeout is how long a closed connection is still read, so that the
	// last answer is not lost to a reset.
	lingerTimeout = time.Second
	// farewellTimeout bounds how long replies are relayed to a client that has
	// closed its side.
	farewellTimeout = 30 * time.Second
	// bufferSize is what a connection reads at once, in each direction; it is
	// the size of a TLS record and of the engines' own reads.
	bufferSize = 16 << 10
	// maxBuffer holds the longest inline command.
	maxBuffer = 80 << 10
	// keptOfLogin is what is kept of AUTH and HELLO: an IAM token with a session
	// token has 2 KiB.
	keptOfLogin = 64 << 10
	// keptOfRestricted is enough for the error text, which shows 128 bytes.
	keptOfRestricted = 1 << 10
)
