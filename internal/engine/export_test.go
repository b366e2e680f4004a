package engine

import "time"

// Impatient lets a test see soon that an engine is silent.
func Impatient(options Options) Options {
	options.watch = watchTimes{every: 20 * time.Millisecond, patience: 50 * time.Millisecond}
	return options
}
