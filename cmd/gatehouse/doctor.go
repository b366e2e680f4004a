package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/credential/iamtoken"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/pkg/cacheauth"
)

type doctorCommand struct {
	outputFlag
	Cache      string `help:"The cache's name: the replication group id or the serverless cache's name, not the endpoint." required:""`
	User       string `help:"The user that AUTH or HELLO names." required:""`
	Serverless bool   `help:"The cache is serverless."`
	Region     string `help:"The cache's region. Default: that of the AWS configuration."`
	Offline    bool   `help:"Ask nobody: leave out what the caller's policies allow and whether the clocks agree."`
	Token      string `arg:"" optional:"" help:"The token to judge; - reads it from standard input, where other users of this machine cannot see it. Without one, a token is made."`
}

// Levels of findings.
const (
	faultFound = "fault" // gets the login refused
	noteFound  = "note"  // could not be judged, or is worth knowing
	rightFound = "ok"
)

// finding is one thing that the doctor has to say.
type finding struct {
	Level string `json:"level"`
	Text  string `json:"text"`
	Next  string `json:"next,omitempty"`
}

// diagnosis is a login under examination.
type diagnosis struct {
	cache, user, region string
	serverless          bool
	settings            aws.Config
	credentials         aws.Credentials // zero: there are none
	token               []byte
	findings            []finding
}

func (d *diagnosis) say(level, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	f := finding{Level: level, Text: text}
	if level == faultFound {
		f.Next = whatNext(text)
	}
	d.findings = append(d.findings, f)
}

// Run says everything that would get a login refused. Exit code 0: nothing was
// found; 1: a fault was.
func (c doctorCommand) Run(ctx context.Context) error {
	d := &diagnosis{cache: strings.ToLower(c.Cache), user: strings.ToLower(c.User), serverless: c.Serverless}
	if err := d.configure(ctx, &c); err != nil {
		return err
	}
	if d.cache != c.Cache {
		d.say(noteFound, "the cache's name is %q: names of caches are in lower case", d.cache)
	}
	if err := d.obtain(ctx, &c); err != nil {
		return err
	}
	if len(d.token) > 0 {
		d.judge(ctx)
	}
	if !c.Offline {
		d.ask(ctx)
	}
	return d.report(c.outputFlag)
}

// configure reads the AWS configuration.
func (d *diagnosis) configure(ctx context.Context, c *doctorCommand) error {
	var options []func(*config.LoadOptions) error
	if c.Offline && c.Token != "" { // no token is to be made: the network is not needed
		options = append(options, config.WithEC2IMDSClientEnableState(imds.ClientDisabled))
	}
	var err error
	if d.settings, err = awsSettings(ctx, options...); err != nil {
		return err
	}
	if d.region = cmp.Or(c.Region, d.settings.Region); d.region == "" {
		return errNoRegion
	}
	d.settings.Region = d.region
	if _, err := cacheauth.NewGenerator(d.login()); err != nil { // says what is wrong with the names
		return usageError{err}
	}
	return nil
}

// obtain reads the token that was given, or makes one.
func (d *diagnosis) obtain(ctx context.Context, c *doctorCommand) error {
	var err error
	switch c.Token {
	case "":
		return d.make(ctx)
	case "-":
		if d.token, err = readToken(os.Stdin); err != nil {
			return err
		}
	default:
		d.token = []byte(c.Token)
		d.say(noteFound, "the token was given as an argument, where other users of this machine can see it: give - and send it to standard input")
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	d.credentials, err = d.settings.Credentials.Retrieve(ctx)
	if err != nil {
		d.say(noteFound, "no AWS credentials are in use here, so that the signature and the signer's policies are not checked")
	}
	return nil
}

// readToken reads one line; a longer one than any token is a fault that the
// judge names.
func readToken(r io.Reader) ([]byte, error) {
	line, err := bufio.NewReader(io.LimitReader(r, 2*iamtoken.MaxToken)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the token from standard input: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return nil, usageError{errors.New("standard input holds no token in its first line")}
	}
	return []byte(line), nil
}

// make makes a token as `gatehouse token` does. That it cannot be made is a
// finding.
func (d *diagnosis) make(ctx context.Context) error {
	token, err := makeToken(ctx, d.login())
	if err != nil {
		d.say(faultFound, "no token can be made: %v", err)
		return nil
	}
	d.token = []byte(token)
	if d.credentials, err = d.settings.Credentials.Retrieve(ctx); err != nil {
		return fmt.Errorf("getting AWS credentials: %w", err)
	}
	if left := time.Until(d.credentials.Expires); d.credentials.CanExpire && left < cacheauth.TokenLife {
		d.say(noteFound, "the credentials expire in %s, and every token that they sign with them", left.Round(time.Second))
	}
	return nil
}

func (d *diagnosis) login() cacheauth.Config {
	return cacheauth.Config{Cache: d.cache, User: d.user, Region: d.region, Serverless: d.serverless, Credentials: d.settings.Credentials}
}

// judge says what is wrong with the token, by what can be told here.
func (d *diagnosis) judge(ctx context.Context) {
	want := &iamtoken.Want{Cache: d.cache, Region: d.region, User: d.user, Serverless: d.serverless}
	faults := iamtoken.Faults(d.token, want, time.Now())
	for _, fault := range faults {
		d.say(faultFound, "%s", fault)
	}
	if len(faults) > 0 {
		return
	}
	d.say(rightFound, "the token is of the right form, for this cache, user and region, and valid by this machine's clock")
	if !d.credentials.HasKeys() {
		return
	}
	own := &ownKey{credentials: d.credentials}
	_, err := iamtoken.New(own, clock.Real).Verify(ctx, d.token, want)
	switch {
	case own.other != "":
		d.say(noteFound, "the token was signed with access key %s and not with %s, which is in use here, so that its signature and its signer's policies are not checked", own.other, d.credentials.AccessKeyID)
		d.credentials = aws.Credentials{}
	case err != nil:
		d.say(faultFound, "%v", err)
	default:
		d.say(rightFound, "the signature is right for access key %s", d.credentials.AccessKeyID)
	}
}

// ownKey implements iamtoken.Keys with one access key: the one in use here.
type ownKey struct {
	credentials aws.Credentials
	other       string // the access key that was asked for instead
}

var errOtherKey = errors.New("another access key")

// Find implements iamtoken.Keys.
func (o *ownKey) Find(_ context.Context, q iamtoken.Query) (*iamtoken.Grant, *iamtoken.SigningKey, error) {
	if id := string(q.AccessKeyID); id != o.credentials.AccessKeyID {
		o.other = id
		return nil, nil, errOtherKey
	}
	grant := &iamtoken.Grant{AccessKeyID: o.credentials.AccessKeyID, Session: iamtoken.DigestSession(o.credentials.SessionToken)}
	if o.credentials.CanExpire {
		grant.Expires = o.credentials.Expires
	}
	key := iamtoken.Derive(identity.NewSecret(o.credentials.SecretAccessKey), q.Day, q.Region)
	return grant, &key, nil
}

// report prints the findings and sets the exit code.
func (d *diagnosis) report(o outputFlag) error {
	faults := 0
	for _, f := range d.findings {
		if f.Level == faultFound {
			faults++
		}
	}
	if o.Output == "json" {
		if err := printJSON(os.Stdout, d.findings); err != nil {
			return err
		}
	} else {
		for _, f := range d.findings {
			fmt.Printf("%-6s %s\n", f.Level, printable(f.Text))
			if f.Next != "" {
				fmt.Printf("       next: %s\n", f.Next)
			}
		}
		switch faults {
		case 0:
			fmt.Println("Nothing was found that would get this login refused.")
		case 1:
			fmt.Println("1 fault was found: this login would be refused.")
		default:
			fmt.Printf("%d faults were found: this login would be refused.\n", faults)
		}
	}
	if faults > 0 {
		return exitWith(exitFailed)
	}
	return nil
}
