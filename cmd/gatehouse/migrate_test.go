package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/gatehouse/gatehouse/internal/posture/fakeaws"
)

// The command line from end to end against the fake: plan, dry run, run, status
// and rollback.
func TestMigrateCommand(t *testing.T) {
	fake := fakeaws.New()
	t.Cleanup(fake.Close)
	region := fake.Region(fakeaws.DefaultAccount, "eu-west-1")
	region.AddReplicationGroup("orders", "7.1.0", fakeaws.Doc{"TransitEncryptionEnabled": false, "TransitEncryptionMode": nil})
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIA" + fakeaws.DefaultAccount, "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
	} {
		t.Setenv(name, value)
	}
	plan := filepath.Join(t.TempDir(), "plan.yaml")
	arn := "arn:aws:elasticache:eu-west-1:" + fakeaws.DefaultAccount + ":replicationgroup:orders"
	runMigrate(t, fake, "plan", arn, "--control", "ElastiCache.5", "--out", plan)
	if raw, err := os.ReadFile(plan); err != nil || !strings.Contains(string(raw), "operation: ModifyReplicationGroup") {
		t.Fatalf("the plan: %v\n%s", err, raw)
	}
	fake.Forget()
	runMigrate(t, fake, "apply", plan)
	if len(fake.Writes()) != 0 {
		t.Errorf("without --execute it called %v", fake.Writes())
	}
	runMigrate(t, fake, "apply", plan, "--execute")
	if mode := region.Peek("groups", "orders")["TransitEncryptionMode"]; mode != "preferred" {
		t.Errorf("TransitEncryptionMode is %v", mode)
	}
	runMigrate(t, fake, "status", plan, "--output", "json")
	runMigrate(t, fake, "rollback", plan, "--execute")
	if on := region.Peek("groups", "orders")["TransitEncryptionEnabled"]; on != false {
		t.Errorf("TransitEncryptionEnabled is %v after the rollback", on)
	}
}

func runMigrate(t *testing.T, fake *fakeaws.Fake, args ...string) {
	t.Helper()
	var c migrateCommand
	parser, err := kong.New(&c, kong.BindTo(context.Context(t.Context()), (*context.Context)(nil)))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.Parse(append(args, "--endpoint-url", fake.URL))
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	if err := parsed.Run(); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
}
