// Package cloudtrail serves the trail's API calls as AWS CloudTrail does, by
// LookupEvents.
//
// It owns the shape of a CloudTrail record, what can be looked up by, and paging.
// It leaves the record itself, with secrets hidden, to package trail and those
// who append to it. Logins to caches are not shown: CloudTrail knows none.
package cloudtrail
