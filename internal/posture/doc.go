// Package posture judges whether a data or API service asks who is calling
// before it answers.
//
// It owns the neutral resource model (attributes that are known, absent or
// unknown), the catalogue of controls as data, one pure rule per control, the
// verdicts and the ranking of findings. It reads nothing itself: the packages
// below source fill the model from live AWS, from templates and from Terraform
// plans; exception decides which findings a reviewed file excuses; report
// writes them down; gate keeps what a change introduces; migrate closes them.
//
// An attribute that a source did not set is unknown, never absent, so that a
// source which forgets one cannot turn a finding green.
package posture
