package iamtoken

import "crypto/sha256"

// blockSize is that of SHA-256, in bytes.
const blockSize = 64

// emptyHash is the hash of an empty body.
const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// shortCanonical holds the canonical request of a token without a session token.
const shortCanonical = 768

// usualCanonical holds the one of a token with a session token of usual length.
const usualCanonical = 3072

// overhead is what the canonical request has beside the token's own bytes.
const overhead = 256

// signature is what a token for host must be signed with (IAM User Guide,
// "Create a signed AWS API request", with the query string method).
func (f *fields) signature(key *SigningKey, host string) [sha256.Size]byte {
	var hash [sha256.Size]byte
	switch size := f.size() + len(host) + overhead; { // a smaller space is cleared sooner
	case size <= shortCanonical:
		var space [shortCanonical]byte
		hash = sha256.Sum256(f.canonical(space[:0], host))
	case size <= usualCanonical:
		var space [usualCanonical]byte
		hash = sha256.Sum256(f.canonical(space[:0], host))
	default:
		var space [MaxToken + overhead]byte
		hash = sha256.Sum256(f.canonical(space[:0], host))
	}
	var space [2*blockSize + 256]byte
	text := append(space[:0], key.inner[:]...)
	text = append(text, algorithm+"\n"...)
	text = append(text, f.value[pDate]...)
	text = append(text, '\n')
	text = append(text, f.day...)
	text = append(text, '/')
	text = append(text, f.region...)
	text = append(text, "/"+service+"/"+terminator+"\n"...)
	text = appendHex(text, &hash)
	return key.finish(text)
}

// size is how many bytes the values have.
func (f *fields) size() int {
	n := 0
	for p := range pSignature {
		n += len(f.value[p])
	}
	return n
}

// canonical appends the canonical request.
func (f *fields) canonical(to []byte, host string) []byte {
	to = append(to, "GET\n/\n"...)
	first := true
	for p := range pSignature {
		if f.value[p] == nil {
			continue
		}
		if !first {
			to = append(to, '&')
		}
		first = false
		to = append(to, paramNames[p]...)
		to = append(to, '=')
		to = append(to, f.value[p]...)
	}
	to = append(to, "\nhost:"...)
	to = append(to, host...)
	return append(to, "\n\nhost\n"+emptyHash...)
}

func appendHex(to []byte, hash *[sha256.Size]byte) []byte {
	const digits = "0123456789abcdef"
	for _, b := range hash {
		to = append(to, digits[b>>4], digits[b&15])
	}
	return to
}
