# Everything a newcomer needs. `make demo` shows the main job, `make test` passes
# the tests; both need Go, Node and git, and install the rest themselves.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)

.PHONY: build demo test bench lint generate clean

build: ## the two binaries, in bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/slipway ./cmd/slipway
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/slipway-agent ./cmd/slipway-agent

demo: build ## the whole main job, step by step
	@./bin/slipway demo --once

test: ## everything, with the race detector; installs what the tests use
	@./scripts/test-packages
	$(GO) vet ./...
	$(GO) test -race -timeout 20m ./...

bench: build ## the table of bench/README.md
	$(GO) run ./bench

lint: ## formatting, vet and staticcheck
	@test -z "$$(gofmt -l cmd internal bench)" || { gofmt -l cmd internal bench; echo 'run gofmt -w on these'; exit 1; }
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

generate: ## the API shapes, from internal/api/model
	$(GO) generate ./...

clean:
	rm -rf bin
