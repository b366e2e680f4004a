package resp

import "math"

// longest is the most bytes that a 64-bit number may have (LONG_STR_SIZE - 1).
const longest = 21

// ParseInt reads a decimal number as strictly as the engines' string2ll: no
// plus sign, no leading zero, no "-0", no blanks.
func ParseInt(text []byte) (int64, bool) {
	if len(text) == 1 && text[0] == '0' {
		return 0, true
	}
	if len(text) == 0 || len(text) > longest {
		return 0, false
	}
	negative := text[0] == '-'
	if negative {
		text = text[1:]
	}
	if len(text) == 0 || text[0] < '1' || text[0] > '9' {
		return 0, false
	}
	var v uint64
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		digit := uint64(c - '0')
		if v > (math.MaxUint64-digit)/10 {
			return 0, false
		}
		v = v*10 + digit
	}
	switch {
	case negative && v <= -math.MinInt64:
		return -int64(v), true
	case !negative && v <= math.MaxInt64:
		return int64(v), true
	}
	return 0, false
}
