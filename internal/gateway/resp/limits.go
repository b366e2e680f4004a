package resp

// The engines' limits on a request (networking.c, server.h, config.c).
const (
	MaxArgs   = 1<<31 - 1 // INT_MAX elements in a command
	MaxBulk   = 512 << 20 // proto-max-bulk-len: bytes in an argument
	MaxInline = 64 << 10  // PROTO_INLINE_MAX_SIZE: bytes in a line
	// Before login a command has ten elements of 16 KiB at most.
	MaxArgsBeforeLogin = 10
	MaxBulkBeforeLogin = 16384
)

const (
	// nameMax is the longest word of a command that callers can ask for. The
	// engines' longest command names have 20 bytes.
	nameMax = 32
	// lineMax is enough for every valid length line; a longer one is invalid
	// as soon as it ends (string2ll refuses 21 digits and more).
	lineMax = 48
)

// ProtocolError is a request that no engine can make sense of. It is the text
// that the engines answer after "ERR Protocol error: " before they close.
type ProtocolError string

func (e ProtocolError) Error() string { return "Protocol error: " + string(e) }

// The engines' protocol errors; the unexpected character makes one more.
const (
	ErrArgs            ProtocolError = "invalid multibulk length"
	ErrArgsBeforeLogin ProtocolError = "unauthenticated multibulk length"
	ErrArgsLine        ProtocolError = "too big mbulk count string"
	ErrBulk            ProtocolError = "invalid bulk length"
	ErrBulkBeforeLogin ProtocolError = "unauthenticated bulk length"
	ErrBulkLine        ProtocolError = "too big bulk count string"
	ErrInline          ProtocolError = "too big inline request"
	ErrQuotes          ProtocolError = "unbalanced quotes in request"
)

// errExpected is the error for an argument that does not begin with '$'.
func errExpected(got byte) ProtocolError {
	if got == '\r' || got == '\n' {
		got = ' ' // the engines keep line ends out of errors
	}
	return ProtocolError("expected '$', got '" + string([]byte{got}) + "'")
}
