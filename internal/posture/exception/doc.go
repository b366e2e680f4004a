// Package exception reads the reviewed file that excuses findings, and decides
// which findings it excuses.
//
// It owns the file's format, its rules (a named owner and approver, a written
// reason, a compensating control, an end within a maximum, one exact resource
// unless a glob is asked for) and adding entries. An entry that breaks a rule is
// reported and excuses nothing; so is one that has expired or that matches
// nothing. A failure alone can be excused: what is unknown or could not be read
// stays so.
package exception
