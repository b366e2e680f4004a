// Package report writes findings down: table, JSON, HTML, SARIF, JUnit and ASFF,
// and compares a report with an earlier one.
//
// It owns the shape of the JSON report, which other programs read, the exit
// codes, and what each format makes of the verdicts: UNKNOWN is never written as
// a pass. It judges nothing; sending ASFF to Security Hub is the caller's.
package report
