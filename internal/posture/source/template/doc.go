// Package template reads CloudFormation, SAM and CDK output into posture's
// neutral model, with no credentials and no network.
//
// It owns the evaluation of intrinsics (parameters, conditions, mappings,
// references), SAM's implied APIs and defaults, OpenAPI bodies, quick-create
// routes and nested stacks whose template is a local file. What cannot be known
// from the files is unknown and says what it needs; where a condition or a
// parameter is undecided, every case is built and posture judges all of them.
// Which files are templates is for package files to find out.
package template
