package main

import (
	"time"

	"github.com/gatehouse/gatehouse/bench/target"
	"github.com/gatehouse/gatehouse/bench/usage"
)

// reading is what had been used at one moment.
type reading struct {
	at            time.Time
	proxy, engine time.Duration // by the target under load
	clients       time.Duration // by this process and the clients it has run
	busy          time.Duration // by everybody
	cores         int
}

// look reads what a target and its clients have used; without a target, this
// process alone.
func look(t *target.Target) (reading, error) {
	r := reading{at: time.Now(), clients: usage.Own(), cores: usage.ThisMachine().Cores}
	var err error
	if r.busy, err = usage.Busy(); err != nil || t == nil {
		return r, err
	}
	if r.engine, err = usage.CPU(t.Engine); err == nil && t.Proxy != 0 {
		r.proxy, err = usage.CPU(t.Proxy)
	}
	return r, err
}

// ours is the time of the clients and of the target under load. The other
// targets are to be at rest; if they are not, they disturb like anybody else.
func (r reading) ours() time.Duration { return r.clients + r.proxy + r.engine }

// foreign is the share of the machine that others used since before.
func (r reading) foreign(before reading) float64 {
	machine := r.at.Sub(before.at) * time.Duration(r.cores)
	others := (r.busy - before.busy) - (r.ours() - before.ours())
	// The kernel samples what the machine does and adds up exactly what each
	// process does, so the difference can be a little below zero.
	return max(0, others.Seconds()/machine.Seconds())
}

// perRequest sets what each request cost since before, in microseconds of CPU.
func (r reading) perRequest(before reading, requests int, values map[string]float64) {
	each := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) / float64(requests) }
	values["proxy_us"] = each(r.proxy - before.proxy)
	values["engine_us"] = each(r.engine - before.engine)
	values["cpu_us"] = values["proxy_us"] + values["engine_us"]
	values["client_us"] = each(r.clients - before.clients)
}
