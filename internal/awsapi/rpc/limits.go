package rpc

// Bounds of a body, which awsapi.MaxBody bounds in bytes. The largest requests
// that a client has a reason to send, GetMetricData with 500 queries, stay far
// below them.
const (
	maxDepth  = 16     // structures, lists and maps in one another
	maxItems  = 10_000 // of one list
	maxPairs  = 10_000 // of one structure or map
	maxQuoted = 64     // bytes of a client's text in an error
)
