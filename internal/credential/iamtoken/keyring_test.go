package iamtoken

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
)

func query(id string, day Day) Query {
	return Query{AccessKeyID: []byte(id), Day: day, Region: "us-east-1"}
}

func TestKeyringAsksOnce(t *testing.T) {
	v, _, source := newVerifier(noon)
	for range 3 {
		if _, err := v.Verify(context.Background(), []byte(newDraft().token()), wantOrders); err != nil {
			t.Fatal(err)
		}
	}
	if source.asked != 1 {
		t.Errorf("asked %d times", source.asked)
	}
}

// A token that is refused without a key never reaches the source.
func TestBadTokensAreNotAskedAbout(t *testing.T) {
	v, _, source := newVerifier(noon)
	for _, d := range []*draft{newDraft().with("X-Amz-Expires", "901"), newDraft().with("User", "x"), newDraft().with("X-Amz-Date", "20261121T100000Z")} {
		if _, err := v.Verify(context.Background(), []byte(d.token()), wantOrders); err == nil {
			t.Error("accepted")
		}
	}
	if source.asked != 0 {
		t.Errorf("asked %d times", source.asked)
	}
}

func TestUnknownKeysAreNotRemembered(t *testing.T) {
	c := clock.NewFake(noon)
	ring := NewKeyring(&fixedSource{clock: c}, c)
	for i := range 100 {
		if _, _, err := ring.Find(context.Background(), query(fmt.Sprintf("AKIA%016d", i), 20261121)); !errors.Is(err, ErrUnknownKey) {
			t.Fatal(err)
		}
	}
	if known := ring.Known(); len(known) != 0 {
		t.Errorf("remembers %q", known)
	}
}

// The gateway goes on over midnight while the control plane is away, as long as
// the keys it was given last.
func TestKeyringWithoutSource(t *testing.T) {
	c := clock.NewFake(noon)
	source := &fixedSource{clock: c, days: 4} // yesterday to the day after tomorrow
	ring := NewKeyring(source, c)
	if _, _, err := ring.Find(context.Background(), query(keyID, 20261121)); err != nil {
		t.Fatal(err)
	}
	source.err = ErrUnavailable
	c.Advance(36 * time.Hour)
	for day, want := range map[Day]bool{20261122: true, 20261123: true, 20261124: false} {
		if _, _, err := ring.Find(context.Background(), query(keyID, day)); (err == nil) != want {
			t.Errorf("%d: %v", day, err)
		}
	}
	if err := ring.Renew(context.Background()); !errors.Is(err, ErrUnavailable) || len(ring.Known()) != 1 {
		t.Errorf("renewing without a source: %v, %q", err, ring.Known())
	}
	source.err = nil
	if err := ring.Renew(context.Background()); err != nil {
		t.Fatal(err)
	}
	source.err = ErrUnavailable
	if _, _, err := ring.Find(context.Background(), query(keyID, 20261124)); err != nil {
		t.Errorf("after renewing: %v", err)
	}
	source.err = fmt.Errorf("asked: %w", ErrInactiveKey)
	c.Advance(24 * time.Hour)
	if err := ring.Renew(context.Background()); err != nil || len(ring.Known()) != 0 {
		t.Errorf("a key that became inactive: %v, %q", err, ring.Known())
	}
}

func TestForgetAndPut(t *testing.T) {
	v, _, source := newVerifier(noon)
	ring := v.keys.(*Keyring)
	token := []byte(newDraft().token())
	mustVerify := func() *Grant {
		t.Helper()
		g, err := v.Verify(context.Background(), token, wantOrders)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	old := mustVerify()
	changed := *old
	changed.Principal.Tags = map[string]string{"team": "blue"}
	ring.Put(&changed)
	if mustVerify().Principal.Tags["team"] != "blue" {
		t.Error("Put changed nothing")
	}
	ring.Put(&Grant{AccessKeyID: "AKIASOMEBODYELSES000"})
	if len(ring.Known()) != 1 {
		t.Error("Put remembers a key that nobody used here")
	}
	source.err = ErrInactiveKey
	ring.Forget(keyID)
	if _, err := v.Verify(context.Background(), token, wantOrders); err == nil || !strings.Contains(err.Error(), "access key "+keyID+": the access key is inactive") {
		t.Error(err)
	}
}

// slowSource answers only when it is told to.
type slowSource struct {
	*fixedSource
	entered, answer chan struct{}
}

func (s *slowSource) Grant(ctx context.Context, id, session, region string) (*Grant, error) {
	g, err := s.fixedSource.Grant(ctx, id, session, region)
	s.entered <- struct{}{}
	<-s.answer
	return g, err
}

// An answer that was under way while the key was withdrawn must not bring it back.
func TestForgetBeatsAnAnswerUnderWay(t *testing.T) {
	c := clock.NewFake(noon)
	source := &slowSource{&fixedSource{clock: c}, make(chan struct{}), make(chan struct{})}
	ring := NewKeyring(source, c)
	done := make(chan error)
	go func() {
		_, _, err := ring.Find(context.Background(), query(keyID, 20261121))
		done <- err
	}()
	<-source.entered
	ring.Forget(keyID)
	close(source.answer)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if known := ring.Known(); len(known) != 0 {
		t.Errorf("remembers %q", known)
	}
}

func TestAskingIsBounded(t *testing.T) {
	c := clock.NewFake(noon)
	source := &slowSource{&fixedSource{clock: c}, make(chan struct{}, 2*maxAsking), make(chan struct{})}
	source.err = ErrUnknownKey
	ring := NewKeyring(&lockedSource{source: source}, c)
	var wait sync.WaitGroup
	for range maxAsking {
		wait.Go(func() { _, _, _ = ring.Find(context.Background(), query("AKIAXXXXXXXXXXXXXXXX", 20261121)) })
	}
	for range maxAsking {
		<-source.entered
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := ring.Find(ctx, query(keyID, 20261121)); !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(source.answer)
	wait.Wait()
}

// lockedSource lets a counting source be asked by many.
type lockedSource struct {
	mu     sync.Mutex
	source *slowSource
}

func (l *lockedSource) Grant(ctx context.Context, id, session, region string) (*Grant, error) {
	l.mu.Lock()
	g, err := l.source.fixedSource.Grant(ctx, id, session, region)
	l.mu.Unlock()
	l.source.entered <- struct{}{}
	<-l.source.answer
	return g, err
}

func TestKeyringIsBounded(t *testing.T) {
	c := clock.NewFake(noon)
	ring := NewKeyring(nil, c)
	for i := range MaxGrants + 10 {
		ring.mu.Lock()
		ring.remember(&Grant{AccessKeyID: fmt.Sprint(i)})
		ring.mu.Unlock()
		if i == MaxGrants-1 {
			c.Advance(time.Minute)
			ring.recall(Query{AccessKeyID: []byte("0")}) // the first is used again
		}
	}
	if n := len(ring.Known()); n != MaxGrants {
		t.Errorf("remembers %d", n)
	}
	if g, _ := ring.recall(Query{AccessKeyID: []byte("0")}); g == nil {
		t.Error("the grant that was in use is gone")
	}
	ring.grants["1"] = &held{grant: &Grant{AccessKeyID: "1", Expires: noon}}
	ring.grants["2"] = &held{grant: &Grant{AccessKeyID: "2", Expires: noon.Add(time.Hour)}}
	ring.evict()
	if ring.grants["1"] != nil || ring.grants["2"] == nil {
		t.Error("an expired session does not go first")
	}
}

func TestSessionMismatchAfterAGoodSignature(t *testing.T) {
	g := &Grant{Session: DigestSession("a"), Expires: noon.Add(time.Hour)}
	for name, test := range map[string]struct {
		grant   *Grant
		session SessionDigest
		want    string
	}{
		"right":         {g, DigestSession("a"), ""},
		"other":         {g, DigestSession("b"), "not the one that belongs"},
		"missing":       {g, SessionDigest{}, "is missing"},
		"not asked for": {&Grant{}, DigestSession("a"), "long-term"},
	} {
		err := test.grant.sessionFault(test.session, noon)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
