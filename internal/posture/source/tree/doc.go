// Package tree reads JSON and YAML into one small tree whose nodes know their
// line and column, within fixed limits.
//
// It owns the limits (size, depth, number of nodes, what aliases may multiply
// to), CloudFormation's short-form tags, which become the long form, and a
// scanner that walks large JSON without building what nobody asks for. It knows
// nothing of templates or plans. Keys that appear twice are kept as such: which
// of the two a service would take is for nobody here to guess.
package tree
