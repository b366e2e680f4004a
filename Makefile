# Gatehouse. `make run` and `make test` install what they need first (`make setup`).
GO ?= go
export CGO_ENABLED ?= 0
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)
# Each package's tests may take this long; the whole run stays under 15 minutes on 2 cores.
TEST_TIMEOUT ?= 10m

.PHONY: setup build run test race fuzz bench lint clean

setup:            ## install the engines on Debian 12, or say what to install
	@scripts/setup

build:            ## bin/gatehouse and bin/gatehouse-gateway
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/gatehouse ./cmd/gatehouse-gateway

run: setup build  ## serve, with a first cache and a first user
	@scripts/run

test: setup build ## everything that CI checks
	$(GO) vet ./...
	$(GO) test -timeout $(TEST_TIMEOUT) ./...

race:             ## the tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race -timeout $(TEST_TIMEOUT) ./...

FUZZ_TIME ?= 20s
fuzz:             ## every fuzz target for FUZZ_TIME each
	@scripts/fuzz $(FUZZ_TIME)

lint:             ## formatting, vet, staticcheck
	@scripts/lint

bench:            ## one table: engine, HAProxy and Gatehouse in one interleaved run
	@scripts/setup --bench
	@$(MAKE) --no-print-directory build
	@scripts/bench

clean:
	rm -rf bin
