package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/gatehouse/gatehouse/bench/report"
	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/credential"
	"github.com/gatehouse/gatehouse/internal/credential/iamtoken"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// micro is what judging a login takes, without any network.
func (b *bench) micro(ctx context.Context) error {
	password := passwordCheck()
	token, err := tokenCheck(ctx)
	if err != nil {
		return err
	}
	testing.Init() // defines the flag that says how long a benchmark takes
	if err := flag.Set("test.benchtime", b.Micro.String()); err != nil {
		return err
	}
	for round := 1; round <= b.Rounds; round++ {
		b.say("%-14s round %d of %d", "micro", round, b.Rounds)
		for _, check := range []check{{"password", password}, {"iam", token}} {
			s, err := check.once()
			if err != nil {
				return err
			}
			s.Round = round
			b.samples = append(b.samples, s)
		}
	}
	return ctx.Err()
}

// check judges a right credential once and says whether it accepts it.
type check struct {
	name   string
	passes func() bool
}

func (c check) once() (report.Sample, error) {
	before, err := look(nil)
	if err != nil {
		return report.Sample{}, err
	}
	right := true
	measured := testing.Benchmark(func(t *testing.B) {
		t.ReportAllocs()
		for t.Loop() {
			right = right && c.passes()
		}
	})
	s := report.Sample{Workload: c.name, Attempts: 1, Values: map[string]float64{
		"ns": float64(measured.T.Nanoseconds()) / float64(measured.N), "allocs": float64(measured.AllocsPerOp()),
	}}
	after, err := look(nil)
	if err != nil {
		return s, err
	}
	foreign := after.foreign(before)
	s.Foreign, s.Disturbed = &foreign, foreign > calm
	if !right || measured.N == 0 {
		return s, errors.New(c.name + ": a right credential was refused")
	}
	return s, nil
}

// passwordCheck judges a right password of usual length.
func passwordCheck() func() bool {
	var secret [32]byte
	_, _ = rand.Read(secret[:])
	key := credential.NewKey(secret)
	password := rand.Text()
	digest := key.Digest(identity.NewSecret(password))
	sent := []byte(password)
	return func() bool { return key.Matches(&digest, sent) }
}

// The example credentials of AWS's documentation.
const (
	exampleKey    = "AKIAIOSFODNN7EXAMPLE"
	exampleSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	exampleRegion = "us-east-1"
)

// tokenCheck judges a token that the SDK's own signer made, with a key that is
// known already.
func tokenCheck(ctx context.Context) (func() bool, error) {
	now := time.Now()
	const cache, user = "bench", "bench"
	url := "http://" + cache + "/?Action=connect&User=" + user + "&X-Amz-Expires=900"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	signed, _, err := v4.NewSigner().PresignHTTP(ctx, aws.Credentials{AccessKeyID: exampleKey, SecretAccessKey: exampleSecret},
		request, emptyHash, "elasticache", exampleRegion, now)
	if err != nil {
		return nil, fmt.Errorf("signing a token: %w", err)
	}
	token := []byte(strings.TrimPrefix(signed, "http://"))
	verifier := iamtoken.New(iamtoken.NewKeyring(exampleSource{now}, clock.Real), clock.Real)
	want := &iamtoken.Want{Cache: cache, Region: exampleRegion, User: user}
	if _, err := verifier.Verify(ctx, token, want); err != nil {
		return nil, fmt.Errorf("verifying a token of the SDK's: %w", err)
	}
	return func() bool { _, err := verifier.Verify(ctx, token, want); return err == nil }, nil
}

// exampleSource knows the example credentials.
type exampleSource struct{ now time.Time }

func (s exampleSource) Grant(context.Context, string, string, string) (*iamtoken.Grant, error) {
	key := iamtoken.Derive(identity.NewSecret(exampleSecret), iamtoken.DayAt(s.now), exampleRegion)
	return &iamtoken.Grant{AccessKeyID: exampleKey, Keys: []iamtoken.SigningKey{key}}, nil
}
