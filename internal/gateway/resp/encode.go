package resp

import "strconv"

// AppendCommand appends a command in multibulk form.
func AppendCommand[W string | []byte](dst []byte, words ...W) []byte {
	dst = appendLength(dst, '*', len(words))
	for _, word := range words {
		dst = AppendBulk(dst, word)
	}
	return dst
}

// AppendBulk appends a bulk string.
func AppendBulk[W string | []byte](dst []byte, text W) []byte {
	dst = appendLength(dst, '$', len(text))
	dst = append(dst, text...)
	return append(dst, "\r\n"...)
}

func appendLength(dst []byte, kind byte, n int) []byte {
	dst = append(dst, kind)
	dst = strconv.AppendInt(dst, int64(n), 10)
	return append(dst, "\r\n"...)
}
