// Package admin speaks to an engine as its administrator: one request, one
// reply, in RESP2, over one connection.
//
// It owns the reading of replies, with bounds on their size and depth, and the
// deadlines. It does not reconnect, pipeline or subscribe, and it is not on the
// customers' data path: that framing belongs to gateway/resp.
package admin
