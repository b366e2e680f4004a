package remote

import (
	"context"
	"time"

	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/gateway"
)

// Report makes the state of a gateway known to the control plane from now on.
func (l *Link) Report(r Reporter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reporter = r
}

func (l *Link) sessions() []gateway.Session {
	l.mu.Lock()
	r := l.reporter
	l.mu.Unlock()
	if r == nil {
		return nil
	}
	return r.Sessions()
}

func (l *Link) counters() Counters {
	l.mu.Lock()
	r := l.reporter
	l.mu.Unlock()
	if r == nil {
		return Counters{}
	}
	return Counters{Nodes: r.Metrics(), Sessions: CountSessions(r.Sessions())}
}

// write sends all that this side has to say until the connection ends (inner),
// or the gateway has stopped (ctx): then it says farewell.
func (c *connection) write(ctx, inner context.Context) error {
	if err := c.certify(); err != nil {
		return err
	}
	c.l.backlog.poke() // what an earlier connection did not get confirmed
	asked := time.Now()
	if err := c.renew(); err != nil {
		return err
	}
	ticker := time.NewTicker(min(directory.LeaseTime, c.l.staleAfter()) / renewals)
	defer ticker.Stop()
	sent := int64(0) // number of the last event sent on this connection
	for {
		var err error
		select {
		case revision := <-c.acked:
			err = c.send(toControl{Ack: &ack{revision}})
		case number := <-c.asks:
			err = c.answer(number)
		case <-c.l.backlog.wake:
			sent, err = c.sendEvents(sent)
		case <-ticker.C:
			err = c.renew()
			if time.Until(c.l.certificateEnds()) < certifyBefore && time.Since(asked) > certifyEvery && err == nil {
				asked, err = time.Now(), c.certify()
			}
		case <-inner.Done():
			return nil
		case <-ctx.Done():
			return c.farewell(inner, sent)
		}
		if err != nil {
			return err
		}
	}
}

func (c *connection) certify() error {
	return c.send(toControl{Certify: &certify{c.l.public}})
}

func (c *connection) renew() error {
	counters := c.l.counters()
	c.mu.Lock()
	c.number++
	c.sent = c.l.cfg.Clock.Now()
	number := c.number
	c.mu.Unlock()
	return c.send(toControl{Renew: &renew{Number: number, Counters: counters}})
}

// sendEvents sends the next batch if the one before it is confirmed.
func (c *connection) sendEvents(sent int64) (int64, error) {
	batch := c.l.backlog.batch()
	if batch == nil || batch.First <= sent {
		return sent, nil
	}
	return batch.First + int64(len(batch.Events)) - 1, c.send(toControl{Events: batch})
}

// answer sends the list of sessions in parts.
func (c *connection) answer(number int64) error {
	list := c.l.sessions()
	for {
		n := min(len(list), maxBatch)
		part := sessions{Number: number, Sessions: list[:n], More: n < len(list)}
		if err := c.send(toControl{Sessions: &part}); err != nil || !part.More {
			return err
		}
		list = list[n:]
	}
}

// farewell sends the events that are left and says that this gateway admits
// nobody any more. The control plane then closes the connection.
func (c *connection) farewell(inner context.Context, sent int64) error {
	patience, cancel := context.WithTimeout(inner, farewellTime)
	defer cancel()
	for !c.l.backlog.empty() && patience.Err() == nil {
		var err error
		if sent, err = c.sendEvents(sent); err != nil {
			return err
		}
		select {
		case <-c.l.backlog.wake: // a batch was confirmed
		case <-c.acked: // of no use any more
		case <-patience.Done():
		}
	}
	if err := c.send(toControl{Leave: &leave{}}); err != nil {
		return err
	}
	<-patience.Done()
	_ = c.conn.Close()
	return nil
}
