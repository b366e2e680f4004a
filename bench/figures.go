package main

import (
	"github.com/gatehouse/gatehouse/bench/report"
	"github.com/gatehouse/gatehouse/bench/target"
)

// figures are the lines of the table, with the goals of the project's plan.
var figures = joined(
	throughputFigures("c50-p1-get", "50 clients, pipeline 1, GET", least(0.9, 1.05, 1.25), true),
	throughputFigures("c50-p1-set", "50 clients, pipeline 1, SET", least(0.9, 1.05, 1.25), true),
	throughputFigures("c50-p16-get", "50 clients, pipeline 16, GET", least(0, 0.85, 1.0), false),
	throughputFigures("c50-p16-set", "50 clients, pipeline 16, SET", least(0, 0.85, 1.0), false),
	pairOf("c1-p1-get", "1 client: mean latency", "mean_us", "µs", most(1.15, 1.08), most(0.95, 0.88)),
	pairOf("c1-p1-get", "1 client: p99 latency", "p99_us", "µs", none, none),
	pairOf("c500-p1-get", "500 clients: p99 latency", "p99_us", "µs", none, most(0.9, 0.7)),
	pairOf("c500-p1-get", "500 clients: throughput", "per_second", "req/s", none, none),
	pairOf("connect-full", "connect + TLS 1.3 + AUTH: CPU", "cpu_us", "µs/conn", most(1.3, 0.95), none),
	pairOf("connect-full", "connect + TLS 1.3 + AUTH: rate", "per_second", "conn/s", none, none),
	pairOf("connect-resumed", "the same, resumed: CPU", "cpu_us", "µs/conn", most(1.2, 0.80), none),
	pairOf("connect-resumed", "the same, resumed: rate", "per_second", "conn/s", none, none),
	pairOf("idle", "idle memory per connection", "kib", "KiB", most(0.75, 0.60), none),
	[]report.Spec{{Workload: "rest", Title: "CPU at rest, of a core", Metric: "percent", Unit: "%", Of: string(target.Gatehouse)}},
	alone("iam", "IAM verification, cached key", "ns", "ns", most(2000, 1300)),
	alone("iam", "IAM verification: allocations", "allocs", "", exactlyNone),
	alone("password", "password verification", "ns", "ns", most(300, 150)),
	alone("password", "password verification: allocations", "allocs", "", exactlyNone),
	alone("posture-estate", "audit of 20 account-regions", "s", "s", none),
	alone("posture-estate", "audit of 20 account-regions: calls", "calls/audit", "", none),
	alone("posture-estate", "audit of 20 account-regions: peak memory", "peakMB", "MB", none),
	alone("posture-templatejson10mb", "template of 10 MB, JSON", "s", "s", most(1, 1)),
	alone("posture-templateyaml10mb", "template of 10 MB, YAML", "s", "s", most(1, 1)),
	alone("posture-templateyaml10mb", "template of 10 MB, YAML: memory", "peak-heap/input", "× input", most(10, 10)),
	alone("posture-plan50mb", "plan of 50 MB", "s", "s", most(3, 3)),
	alone("posture-plan50mb", "plan of 50 MB: memory", "peak-heap/input", "× input", most(10, 10)),
)

var (
	none        report.Goal
	exactlyNone = report.Goal{Must: new(float64)}
)

func joined(lists ...[]report.Spec) []report.Spec {
	var all []report.Spec
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

// throughputFigures are requests per second and CPU per request.
func throughputFigures(workload, title string, overHAProxy report.Goal, cpuGoals bool) []report.Spec {
	cpuNative, cpuHAProxy := none, none
	if cpuGoals {
		cpuNative, cpuHAProxy = most(1.5, 1.30), most(0.80, 0.65)
	}
	return append(
		pairOf(workload, title, "per_second", "req/s", none, overHAProxy),
		pairOf(workload, title+": CPU", "cpu_us", "µs/req", cpuNative, cpuHAProxy)...)
}

// pairOf compares Gatehouse with the engine's own TLS and with HAProxy.
func pairOf(workload, title, metric, unit string, native, haproxy report.Goal) []report.Spec {
	spec := report.Spec{Workload: workload, Title: title, Metric: metric, Unit: unit, Of: string(target.Gatehouse)}
	first, second := spec, spec
	first.Against, first.Goal = string(target.Native), native
	second.Against, second.Goal = string(target.HAProxy), haproxy
	return []report.Spec{first, second}
}

// alone is a figure that is compared with nothing.
func alone(workload, title, metric, unit string, goal report.Goal) []report.Spec {
	return []report.Spec{{Workload: workload, Title: title, Metric: metric, Unit: unit, Goal: goal}}
}

// least is a goal to be reached from below; a floor of 0 is none.
func least(floor, must, aim float64) report.Goal {
	goal := report.Goal{AtLeast: true, Must: &must, Aim: &aim}
	if floor > 0 {
		goal.Floor = &floor
	}
	return goal
}

// most is a goal to stay below.
func most(must, aim float64) report.Goal { return report.Goal{Must: &must, Aim: &aim} }
