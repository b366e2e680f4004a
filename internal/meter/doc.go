// Package meter counts what happens on the caches, a value a minute, and keeps
// it for 15 days over restarts.
//
// It owns turning readings of counters that only grow, of sources that come, go
// and start again, into what each minute saw; the values in memory; and the files
// that they are read back from. What there is to read is told by whoever collects
// (serve), names and dimensions are the collector's, alarms are those of
// meter/alarm, and CloudWatch's view of it all is awsapi/cloudwatch's.
//
// Each minute of a series has one sample, as ElastiCache publishes its host
// metrics: sum, average, minimum and maximum are the same within a minute and
// differ over longer periods.
package meter
