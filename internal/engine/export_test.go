package engine

import "time"

// Impatient lets a test see soon that an engine is silent or does not end.
func Impatient(options Options) Options {
	options.patience = patience{pulse: 20 * time.Millisecond, answer: 50 * time.Millisecond, stop: 300 * time.Millisecond}
	return options
}
