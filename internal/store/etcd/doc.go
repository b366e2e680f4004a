// Package etcd keeps the control plane's state in etcd: embedded in this
// process by default, so that there is no server to install, or an external
// cluster when the control plane outgrows one machine. Both are used through
// the same client code.
//
// It owns starting and stopping the embedded server, its limits, and the
// translation of store.Store into etcd transactions and watches. It is the only
// package that may import etcd.
package etcd
