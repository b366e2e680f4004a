// Package usage measures whether anybody still uses a path that asks for no
// identity: calls of an open route, of an AppSync key, connections to an MSK
// listener, logins to a Gatehouse cache.
//
// It owns the meters and what each of them proves: its quality, and since when
// its source has been on without a gap, because a series that is missing is not
// a zero. It leaves to migrate what follows from a reading, and says plainly
// where AWS measures nothing.
package usage
