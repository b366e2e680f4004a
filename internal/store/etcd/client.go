package etcd

import (
	"context"
	"errors"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/gatehouse/gatehouse/internal/store"
)

// Store is a store.Store on an etcd cluster.
type Store struct {
	client *clientv3.Client
	stop   func() // ends an embedded server; nil for an external one
}

var _ store.Store = (*Store)(nil)

// List implements store.Store: one range read at one revision.
func (s *Store) List(ctx context.Context, prefix string) ([]store.Record, int64, error) {
	if err := ctx.Err(); err != nil { // the in-process client would not look
		return nil, 0, err
	}
	got, err := s.client.Get(ctx, prefix, clientv3.WithPrefix(), clientv3.WithSort(clientv3.SortByKey, clientv3.SortAscend))
	if err != nil {
		return nil, 0, explain("reading "+prefix, err)
	}
	records := make([]store.Record, 0, len(got.Kvs))
	for _, kv := range got.Kvs {
		records = append(records, store.Record{Key: string(kv.Key), Value: kv.Value, Rev: kv.ModRevision})
	}
	return records, got.Header.Revision, nil
}

// Apply implements store.Store: one transaction compared on the guard.
func (s *Store) Apply(ctx context.Context, t store.Txn) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	var ops []clientv3.Op
	var conditions []clientv3.Cmp
	if t.Guard != "" {
		conditions = append(conditions, clientv3.Compare(clientv3.ModRevision(t.Guard), "=", t.GuardRev))
		ops = append(ops, clientv3.OpPut(t.Guard, ""))
	}
	for _, record := range t.Puts {
		ops = append(ops, clientv3.OpPut(record.Key, string(record.Value)))
	}
	for _, key := range t.Deletes {
		ops = append(ops, clientv3.OpDelete(key))
	}
	got, err := s.client.Txn(ctx).If(conditions...).Then(ops...).Commit()
	if err != nil {
		return 0, explain("writing", err)
	}
	if !got.Succeeded {
		return 0, store.ErrConflict
	}
	return got.Header.Revision, nil
}

// Watch implements store.Store. A watch that etcd ends (a compacted revision, a
// lost connection) closes the channel; the caller reads anew.
func (s *Store) Watch(ctx context.Context, prefix string, rev int64) <-chan int64 {
	out := make(chan int64)
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	changes := s.client.Watch(ctx, prefix, clientv3.WithPrefix(), clientv3.WithRev(rev+1))
	go func() {
		defer cancel()
		defer close(out)
		for change := range changes {
			if change.Err() != nil {
				return
			}
			for _, event := range change.Events {
				select {
				case out <- event.Kv.ModRevision:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return out
}

// Close closes the client and, when it is embedded, the server.
func (s *Store) Close() error {
	err := s.client.Close()
	if s.stop != nil {
		s.stop()
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("etcd: closing: %w", err)
	}
	return nil
}

// explain says what failed and gives a cancelled context its own name again,
// which gRPC hides in a status.
func explain(doing string, err error) error {
	switch status.Code(err) {
	case codes.Canceled:
		err = context.Canceled
	case codes.DeadlineExceeded:
		err = context.DeadlineExceeded
	}
	return fmt.Errorf("etcd: %s: %w", doing, err)
}
