package remote

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/gateway"
)

const (
	// maxSessions bounds the list that one gateway may send: its own limit of
	// connections is 65 000.
	maxSessions = 1 << 16
	// maxNodes bounds the counters of one gateway: one entry per node it has
	// ever served.
	maxNodes = 1 << 14
)

// peer is one gateway's connection, on the control plane's side.
type peer struct {
	s        *Server
	member   Member
	process  string
	conn     net.Conn
	follower *directory.Follower
	settled  bool           // the first full update of the follower is complete
	replies  chan toGateway // from the reader to the writer
	ended    chan struct{}  // closed with the connection

	asking sync.Mutex // held by the one who asks for sessions

	mu     sync.Mutex
	sent   int64 // newest revision that the gateway was told of
	number int64 // of the question for sessions that is open
	parts  []gateway.Session
	answer chan []gateway.Session
}

func newPeer(s *Server, member Member, process string, conn net.Conn, follower *directory.Follower, settled bool) *peer {
	return &peer{
		s: s, member: member, process: process, conn: conn, follower: follower, settled: settled,
		replies: make(chan toGateway, 8), ended: make(chan struct{}),
	}
}

// run serves the connection until it ends and reports whether the gateway left.
func (p *peer) run(ctx context.Context) (left bool) {
	ctx, cancel := context.WithCancel(ctx)
	var writer sync.WaitGroup
	writer.Go(func() {
		if err := p.write(ctx); err != nil && ctx.Err() == nil {
			p.s.cfg.Log.Debug("a gateway's connection ended", "gateway", p.member.ID, "error", err)
		}
		_ = p.conn.Close()
	})
	err := p.read(ctx)
	if left = errors.Is(err, errLeft); !left && ctx.Err() == nil {
		p.s.cfg.Log.Debug("a gateway's connection ended", "gateway", p.member.ID, "error", err)
	}
	cancel()
	_ = p.conn.Close()
	close(p.ended)
	writer.Wait()
	if left {
		p.follower.Leave()
	} else {
		p.follower.Disconnect()
	}
	return left
}

// errLeft is how reading ends when the gateway says that it has stopped.
var errLeft = errors.New("the gateway has left")

// write sends updates and replies until the context or the connection ends.
func (p *peer) write(ctx context.Context) error {
	if err := p.send(toGateway{Welcome: &welcome{DigestKey: p.s.cfg.DigestKey[:], MaxStale: p.s.cfg.MaxStale}}); err != nil {
		return err
	}
	var complete int64 // full updates from this revision on hold every cache
	settled := p.s.cfg.Settled
	if p.settled {
		settled = nil
	}
	for {
		select {
		case <-settled:
			settled = nil
			p.settled, complete = true, p.follower.Refresh()
		case update, open := <-p.follower.Updates():
			if !open {
				return errors.New("replaced by a later connection")
			}
			update.Full = update.Full && p.settled && update.Revision >= complete
			if err := p.update(update); err != nil {
				return err
			}
		case reply := <-p.replies:
			if err := p.send(reply); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

func (p *peer) update(u directory.Update) error {
	for _, c := range u.Caches {
		if err := p.send(toGateway{Cache: toWire(c).listenAt(p.member.Host)}); err != nil {
			return err
		}
	}
	p.mu.Lock()
	p.sent = u.Revision
	p.mu.Unlock()
	return p.send(toGateway{Commit: &commit{Revision: u.Revision, Full: u.Full, Gone: u.Gone}})
}

func (p *peer) send(message toGateway) error {
	if err := p.conn.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	return writeFrame(p.conn, message, maxToGateway)
}

func (p *peer) reply(ctx context.Context, message toGateway) error {
	select {
	case p.replies <- message:
		return nil
	case <-p.ended:
		return net.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// read takes what the gateway sends. Silence for a lease ends the connection.
func (p *peer) read(ctx context.Context) error {
	r := bufio.NewReader(p.conn)
	for {
		if err := p.conn.SetReadDeadline(time.Now().Add(directory.LeaseTime)); err != nil {
			return err
		}
		var m toControl
		if err := readFrame(r, maxToControl, &m); err != nil {
			return err
		}
		if err := p.take(ctx, &m); err != nil {
			return err
		}
	}
}

func (p *peer) take(ctx context.Context, m *toControl) error {
	switch {
	case m.Ack != nil:
		p.mu.Lock()
		known := min(m.Ack.Revision, p.sent) // nobody can act on what was not sent
		p.mu.Unlock()
		p.follower.Acknowledge(known)
		return nil
	case m.Renew != nil:
		if len(m.Renew.Counters.Nodes) > maxNodes || len(m.Renew.Counters.Sessions) > maxNodes {
			return fmt.Errorf("%w: too many counters", errFrame)
		}
		p.follower.Renew()
		p.s.mu.Lock()
		p.s.counters[p.member.ID] = m.Renew.Counters
		p.s.mu.Unlock()
		return p.reply(ctx, toGateway{Renewed: &renewed{m.Renew.Number}})
	case m.Events != nil:
		return p.reply(ctx, toGateway{Received: &received{p.s.takeEvents(p, m.Events)}})
	case m.Certify != nil:
		der, err := p.s.cfg.Certify(p.member.Host, m.Certify.PublicKey)
		if err != nil {
			return err
		}
		return p.reply(ctx, toGateway{Certificate: &certificate{der}})
	case m.Sessions != nil:
		return p.takeSessions(m.Sessions)
	case m.Leave != nil:
		return errLeft
	}
	return fmt.Errorf("%w: a second hello", errFrame)
}

// takeEvents reports events that have not been reported and returns the number
// of the last one.
func (s *Server) takeEvents(p *peer, e *events) int64 {
	s.mu.Lock()
	had := s.progress[p.member.ID]
	if had.process != p.process {
		had = progress{process: p.process, last: e.First - 1}
	}
	last := e.First + int64(len(e.Events)) - 1
	now := progress{p.process, max(had.last, last), max(had.dropped, e.Dropped)}
	s.progress[p.member.ID] = now
	s.mu.Unlock()
	for i, event := range e.Events {
		if e.First+int64(i) > had.last {
			s.cfg.Reports.Login(p.member.ID, event)
		}
	}
	if lost := now.dropped - had.dropped; lost > 0 {
		s.cfg.Reports.Dropped(p.member.ID, lost)
	}
	return last
}

func (p *peer) takeSessions(m *sessions) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.Number != p.number || p.answer == nil {
		return nil // an answer that came too late
	}
	if p.parts = append(p.parts, m.Sessions...); len(p.parts) > maxSessions {
		return fmt.Errorf("%w: more than %d sessions", errFrame, maxSessions)
	}
	if !m.More {
		p.answer <- p.parts
		p.parts, p.answer = nil, nil
	}
	return nil
}

// sessions asks the gateway for its sessions.
func (p *peer) sessions(ctx context.Context) ([]gateway.Session, error) {
	p.asking.Lock()
	defer p.asking.Unlock()
	answer := make(chan []gateway.Session, 1)
	p.mu.Lock()
	p.number++
	number := p.number
	p.parts, p.answer = nil, answer
	p.mu.Unlock()
	if err := p.reply(ctx, toGateway{Ask: &ask{number}}); err != nil {
		return nil, err
	}
	select {
	case list := <-answer:
		return list, nil
	case <-p.ended:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
