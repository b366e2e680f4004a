package remote

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

const (
	// maxToGateway bounds a frame to a gateway, in bytes. The largest holds one
	// cache: 100 users (ElastiCache's quota for a group) with two digests, a
	// secret per node and a few hundred tickets have less than 1 MiB.
	maxToGateway = 8 << 20
	// maxToControl bounds a frame to the control plane: counters of a thousand
	// nodes, or a batch of events or sessions, have less than 1 MiB.
	maxToControl = 2 << 20
	// frameHeader is the length in front of every frame, big endian.
	frameHeader = 4
)

var errFrame = errors.New("remote: the peer does not keep to the protocol")

// writeFrame sends one message.
func writeFrame(w io.Writer, message any, limit int) error {
	text, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("remote: encoding a message: %w", err)
	}
	if len(text) > limit {
		return fmt.Errorf("remote: a message has %d bytes, %d is the most", len(text), limit)
	}
	frame := binary.BigEndian.AppendUint32(make([]byte, 0, frameHeader+len(text)), uint32(len(text)))
	if _, err := w.Write(append(frame, text...)); err != nil {
		return fmt.Errorf("remote: sending: %w", err)
	}
	return nil
}

// readFrame reads one message. Memory grows with what has arrived, not with
// what the header promises.
func readFrame(r io.Reader, limit int, message interface{ valid() bool }) error {
	var header [frameHeader]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return fmt.Errorf("remote: receiving: %w", err)
	}
	size := int64(binary.BigEndian.Uint32(header[:]))
	if size > int64(limit) {
		return fmt.Errorf("%w: a frame of %d bytes, %d is the most", errFrame, size, limit)
	}
	text, err := io.ReadAll(io.LimitReader(r, size))
	if err != nil {
		return fmt.Errorf("remote: receiving: %w", err)
	}
	if int64(len(text)) < size {
		return fmt.Errorf("remote: receiving: %w", io.ErrUnexpectedEOF)
	}
	if err := json.Unmarshal(text, message); err != nil {
		// The decoder's own words may quote the message, which holds secrets.
		return fmt.Errorf("%w: a frame is not a message", errFrame)
	}
	if !message.valid() {
		return fmt.Errorf("%w: a frame does not hold exactly one message", errFrame)
	}
	return nil
}
