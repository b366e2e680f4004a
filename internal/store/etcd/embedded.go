package etcd

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

const (
	// startTime bounds how long an embedded server may take to be ready; a
	// large log on a slow disk is read within it.
	startTime = time.Minute
	// A single member elects itself: nothing is gained by waiting long for others.
	heartbeat = 10  // ms
	election  = 100 // ms
	// quota bounds the database; the state is a few megabytes (etcd's default).
	quota = 2 << 30
	// history is how long old revisions are kept for watchers that come back.
	history = "1h"
	// maxOps bounds one transaction: a user that leaves 100 groups, with events.
	maxOps = 1024
	// logTo is the server's log, beside its data.
	logTo = "etcd.log"
)

// OpenEmbedded starts an etcd server on dir (made 0700 if missing), reachable
// only inside this process.
func OpenEmbedded(ctx context.Context, dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("etcd: making its directory: %w", err)
	}
	config, err := embeddedConfig(dir)
	if err != nil {
		return nil, err
	}
	server, err := embed.StartEtcd(config)
	if err != nil {
		return nil, fmt.Errorf("etcd: starting on %s: %w", dir, err)
	}
	timeout, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	select {
	case <-server.Server.ReadyNotify():
	case err := <-server.Err():
		server.Close()
		return nil, fmt.Errorf("etcd: starting on %s: %w", dir, err)
	case <-timeout.Done():
		server.Close()
		return nil, fmt.Errorf("etcd: not ready on %s: %w", dir, timeout.Err())
	}
	return &Store{client: v3client.New(server.Server), stop: server.Close}, nil
}

func embeddedConfig(dir string) (*embed.Config, error) {
	config := embed.NewConfig()
	config.Name = "gatehouse"
	config.Dir = dir
	config.TickMs, config.ElectionMs = heartbeat, election
	config.QuotaBackendBytes = quota
	config.MaxTxnOps = maxOps
	config.AutoCompactionMode, config.AutoCompactionRetention = "periodic", history
	// The client talks to the server in memory and there are no other members:
	// no listener is opened at all. The address is a name in the member list.
	config.ListenClientUrls, config.ListenPeerUrls = nil, nil
	self := []url.URL{{Scheme: "unix", Host: "in-process"}}
	config.AdvertiseClientUrls, config.AdvertisePeerUrls = self, self
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	logger, err := logFile(filepath.Join(dir, logTo))
	if err != nil {
		return nil, err
	}
	config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(logger)
	return config, nil
}

// logFile makes a logger for warnings and worse, on a file begun anew at each
// start, so that it stays small.
func logFile(path string) (*zap.Logger, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("etcd: opening its log: %w", err)
	}
	encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
	return zap.New(zapcore.NewCore(encoder, zapcore.AddSync(file), zap.WarnLevel)), nil
}

// Open connects to an external cluster.
func Open(ctx context.Context, endpoints []string) (*Store, error) {
	if len(endpoints) == 0 {
		return nil, errors.New("etcd: no endpoints given")
	}
	client, err := clientv3.New(clientv3.Config{
		Context:     context.WithoutCancel(ctx),
		Endpoints:   endpoints,
		DialTimeout: 5 * time.Second,
		Logger:      zap.NewNop(), // failures come back from every call
	})
	if err != nil {
		return nil, fmt.Errorf("etcd: connecting to %v: %w", endpoints, err)
	}
	store := &Store{client: client}
	timeout, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, _, err := store.List(timeout, "/gatehouse/"); err != nil {
		_ = store.Close()
		return nil, fmt.Errorf("etcd: %v cannot be read: %w", endpoints, err)
	}
	return store, nil
}
