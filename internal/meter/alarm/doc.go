// Package alarm watches the meter's series: each alarm compares the last periods
// of one with a threshold, and is OK, in ALARM or without sufficient data.
//
// It owns the rules by which states change ("Using Amazon CloudWatch alarms" and
// "Configuring how CloudWatch alarms treat missing data", CloudWatch User Guide),
// the reasons in AWS's words, the history, and the file that alarms are kept in
// over restarts. They are in a file of this server and not in the store, because
// the values that they watch are this server's. It leaves the API to
// awsapi/cloudwatch. Actions are kept and shown, and none is ever carried out:
// whoever may call the API must not choose what Gatehouse calls.
package alarm
