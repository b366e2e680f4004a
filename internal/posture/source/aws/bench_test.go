package aws_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/fakeaws"
	aws "github.com/gatehouse/gatehouse/internal/posture/source/aws"
)

// The estate of the benchmark: what issue 5 names, over 20 account-regions.
const (
	estateAccounts = 5
	estateRegions  = 4
	estateAPIs     = 25 // HTTP APIs per account-region, 20 routes each: 10 000 routes
	estateRoutes   = 20
	estateGraphQL  = 100
	estateClusters = 50
	estateGroups   = 200 // replication groups per account-region; with 50 serverless caches: 5 000 caches
	estateServer   = 50
)

// estateEnv makes the test binary serve the estate instead of testing, so that
// the benchmark measures the audit's memory and not the fake's.
const estateEnv = "GATEHOUSE_TEST_SERVE_ESTATE"

func TestMain(m *testing.M) {
	if os.Getenv(estateEnv) == "" {
		os.Exit(m.Run())
	}
	fake := fakeaws.New()
	for a := range estateAccounts {
		for r := range estateRegions {
			seedEstate(fake.Region(estateAccount(a), estateRegion(r)))
		}
	}
	fmt.Println(fake.URL)
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() { // "calls" asks for the counters; the end of input ends the process
		raw, err := json.Marshal(fake.Calls())
		if err != nil {
			panic(err)
		}
		fake.Forget()
		fmt.Println(string(raw))
	}
	fake.Close()
}

func estateAccount(i int) string { return fmt.Sprintf("1111222200%02d", i) }
func estateRegion(i int) string  { return fmt.Sprintf("eu-test-%d", i+1) }

func seedEstate(r *fakeaws.Region) {
	for i := range estateAPIs {
		api := fmt.Sprintf("api%03d", i)
		r.AddHTTPAPI(api, nil)
		for j := range estateRoutes {
			kind := []string{"NONE", "AWS_IAM"}[j%2]
			r.AddRoute(api, fmt.Sprintf("r%03d", j), fakeaws.Doc{"authorizationType": kind})
		}
	}
	for i := range estateGraphQL {
		id := fmt.Sprintf("gql%03d", i)
		r.AddGraphQL(id, nil)
		r.AddAPIKey(id, "da2-"+id, nil)
	}
	for i := range estateClusters {
		r.AddCluster(fmt.Sprintf("msk%03d", i), nil)
	}
	for i := range estateGroups {
		r.AddReplicationGroup(fmt.Sprintf("rg%03d", i), []string{"5.0.6", "7.1.0"}[i%2], nil)
	}
	for i := range estateServer {
		r.AddServerlessCache(fmt.Sprintf("sc%03d", i), nil)
	}
}

// BenchmarkEstate audits the whole estate once per iteration: 10 000 routes,
// 2 000 GraphQL APIs, 1 000 clusters, 5 000 caches, 20 account-regions.
func BenchmarkEstate(b *testing.B) {
	url, calls := serveEstate(b)
	o := options(&fakeaws.Fake{URL: url})
	o.Regions = nil
	for r := range estateRegions {
		o.Regions = append(o.Regions, estateRegion(r))
	}
	for a := range estateAccounts {
		o.Roles = append(o.Roles, "arn:aws:iam::"+estateAccount(a)+":role/auditor")
	}
	o.Config.Region = o.Regions[0]
	var resources, findings int
	started := time.Now()
	for b.Loop() {
		found, err := aws.Read(b.Context(), o)
		if err != nil {
			b.Fatal(err)
		}
		if len(found.Problems) > 0 {
			b.Fatalf("%d problems, the first: %+v", len(found.Problems), found.Problems[0])
		}
		list, err := posture.Evaluate(found, posture.Options{})
		if err != nil {
			b.Fatal(err)
		}
		resources, findings = len(found.Resources), len(list)
	}
	b.ReportMetric(time.Since(started).Seconds()/float64(b.N), "s/audit")
	total := 0
	for _, n := range calls() {
		total += n
	}
	b.ReportMetric(float64(total)/float64(b.N), "calls/audit")
	b.ReportMetric(float64(resources), "resources")
	b.ReportMetric(float64(findings), "findings")
	b.ReportMetric(peakMB(b), "peakMB")
}

// serveEstate runs the estate in a process of its own.
func serveEstate(b *testing.B) (url string, calls func() map[string]int) {
	b.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), estateEnv+"=1")
	in, err := command.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = in.Close(); _ = command.Wait() })
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		b.Fatal("the estate does not start")
	}
	return lines.Text(), func() map[string]int {
		counts := map[string]int{}
		if _, err := fmt.Fprintln(in, "calls"); err != nil || !lines.Scan() {
			b.Fatal("the estate does not answer")
		}
		if err := json.Unmarshal(lines.Bytes(), &counts); err != nil {
			b.Fatal(err)
		}
		b.Logf("calls: %v", counts)
		return counts
	}
}

// peakMB is the most memory that this process has held, in MB.
func peakMB(b *testing.B) float64 {
	b.Helper()
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0 // not Linux
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			if err != nil {
				b.Fatal(err)
			}
			return float64(kb) / 1000
		}
	}
	return 0
}
