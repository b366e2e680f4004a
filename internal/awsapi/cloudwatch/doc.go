// Package cloudwatch serves the CloudWatch API over the meter and its alarms.
//
// It owns the translation between the SDK's types and meter, CloudWatch's limits
// and refusals, and what of its actions the authorisation table says. It leaves
// values to meter, states of alarms to meter/alarm, and the wire to awsapi: the
// service speaks Query, JSON 1.0 and RPC v2 CBOR, as CloudWatch does.
//
// Metric math, percentiles, composite alarms and anomaly detection are refused;
// alarms' actions are kept and shown, and never carried out.
package cloudwatch
