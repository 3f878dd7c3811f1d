# Two commands matter to a newcomer: `make demo` and `make test`. Both install what is missing from the package registries.
# Everything else is listed by `make help`.

SHELL := /bin/bash
GO    ?= go
WEB   := web
BIN   := bin

# The version that the binary reports: the commit, and nothing of the machine that built it.
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unversioned)
GOFLAGS_BUILD := -trimpath -ldflags "-s -w -buildid= -X parley.link/parley/internal/config.Version=$(VERSION)"

.PHONY: help demo build web-deps web test test-go test-web test-e2e check fuzz restless bench bench-media deps-e2e proto clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

demo: build ## build everything, start two sides with a living session, print one address per persona
	$(BIN)/parley-demo

build: web $(BIN)/parley $(BIN)/parley-demo ## build the client and the binaries

$(BIN)/parley: FORCE | web
	$(GO) build $(GOFLAGS_BUILD) -o $@ ./cmd/parley
$(BIN)/parley-demo: FORCE | web
	$(GO) build $(GOFLAGS_BUILD) -o $@ ./cmd/parley-demo
FORCE:

# node_modules is rebuilt when the lock file is newer than its stamp.
$(WEB)/node_modules/.stamp: $(WEB)/package-lock.json $(wildcard $(WEB)/patches/*)
	@scripts/need node npm
	cd $(WEB) && npm ci --ignore-scripts --no-audit --no-fund && node patches/apply.mjs && touch node_modules/.stamp
web-deps: $(WEB)/node_modules/.stamp

web: web-deps ## build the web client and the key bundle of native participants
	@scripts/need go
	cd $(WEB) && node build-goja.mjs && npx vite build --logLevel warn

proto: web-deps ## write the Go and TypeScript types anew from proto/
	cd proto && ../$(WEB)/node_modules/.bin/buf generate
	cd $(WEB) && node build-wire.mjs

deps-e2e: ## install Chromium and the media tools that the browser tests need
	@scripts/install-e2e

test: build check test-go test-web test-e2e ## every test

check: web-deps ## formatting, vet, types
	@test -z "$$(gofmt -l cmd internal web/*.go 2>/dev/null)" || { echo "not gofmt-clean:"; gofmt -l cmd internal; exit 1; }
	$(GO) vet ./...
	cd $(WEB) && npx svelte-check --tsconfig ./tsconfig.json --threshold warning --output machine && npx tsc --noEmit -p tsconfig.json

# The race detector slows real processes into missed heartbeats, so it runs over everything but internal/stage, one package at a
# time (compiled in parallel first); then the packages with long tests run whole, without it.
test-go: web ## Go tests: with the race detector, then whole summits of real processes
	$(GO) test -race -short -run '^$$' ./... >/dev/null
	$(GO) test -race -short -p 1 -timeout 15m $$($(GO) list ./... | grep -v /internal/stage$$)
	$(GO) test -p 1 -timeout 20m ./internal/store ./internal/sim ./internal/rtc ./internal/stage

test-web: web-deps ## TypeScript tests: vectors, transcripts, keys
	cd $(WEB) && npx vitest run

test-e2e: build deps-e2e ## real browsers, real nodes
	cd test/e2e && node --test --test-concurrency=1 --test-reporter=spec *.test.mjs
	cd test/net && node --test --test-concurrency=1 --test-reporter=spec *.test.mjs

restless: build deps-e2e ## a day without rest in real browsers: ROUNDS (30) of random faults, from SEED
	cd test/e2e && node restless.mjs $(or $(ROUNDS),30) $(SEED)

fuzz: web ## each Go fuzz target for FUZZTIME (10s)
	scripts/fuzz $(or $(FUZZTIME),10s)

bench: build ## the figures of docs/benchmarks.md
	scripts/bench

bench-media: ## the media engine under load, beside the peers that PEERS names (docs/benchmarks-media.md)
	scripts/bench-media $(PEERS)

clean: ## remove what was built
	rm -rf $(BIN) $(WEB)/dist/* $(WEB)/node_modules internal/mlsjs/bundle/*.js
