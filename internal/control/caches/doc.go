// Package caches holds the operations on replication groups and what belongs
// to them: their access (the AUTH token machine and the attached user group),
// member clusters, subnet and parameter groups, engine versions and events.
//
// It owns what a request may ask for, decides it whole on the newest view and
// writes the outcome; Finish turns a change that has been brought about into
// the state in force. It leaves starting engines, telling gateways and waiting
// for them to control/converge, users and groups to control/users, tags to
// control/tagging, and the outside forms of input and output to awsapi.
package caches
