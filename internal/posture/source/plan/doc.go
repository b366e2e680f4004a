// Package plan reads Terraform plans (terraform show -json) into posture's
// neutral model.
//
// It owns what is peculiar to plans: actions, modules, count and for_each,
// values known only after apply, sensitive values (which stand in clear text in
// a plan and never leave this package), and the references of the
// configuration. Each resource is translated into the CloudFormation resource
// that it makes, and package template does the rest, so that both forms are
// judged by one reading of the properties.
package plan
