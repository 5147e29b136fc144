# Everything a newcomer needs. `make demo` shows the main job, `make test` passes
# the tests; both need Go, Node and git, and install the rest themselves.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)

NPM     ?= $(shell command -v npm)
CONSOLE := internal/console/dist/app/index.html
WEB     := $(shell find web -name node_modules -prune -o -name test-results -prune -o -name screenshots -prune -o -name stage -prune -o -name e2e -prune -o -type f -print)

.PHONY: build console e2e screenshots demo test bench lint generate clean

build: console ## the two binaries, in bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/slipway ./cmd/slipway
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/slipway-agent ./cmd/slipway-agent

ifeq ($(NPM),)
console:
	@echo 'no npm here: the binary is built without its web console (install Node 20.19 or later for it)'
else
console: $(CONSOLE) ## the web console, which is embedded in the binary; NPM= leaves it out
endif

$(CONSOLE): web/node_modules/.package-lock.json $(WEB)
	cd web && $(NPM) run build -- --logLevel warn

web/node_modules/.package-lock.json: web/package-lock.json
	cd web && $(NPM) ci --loglevel=error
	@touch $@

e2e: build ## the console in a real browser, against the real server
	$(GO) build -o bin/stage ./web/stage
	cd web && npm run e2e

screenshots: build ## a picture of every page of the console, in web/screenshots
	$(GO) build -o bin/stage ./web/stage
	cd web && npm run screenshots

demo: build ## the whole main job, step by step
	@./bin/slipway demo --once

test: ## everything, with the race detector; installs what the tests use
	@./scripts/test-packages
	@./scripts/test-docker
	@$(MAKE) --no-print-directory build
	cd web && npm run check && npm test
	$(GO) vet ./...
	$(GO) test -race -timeout 40m ./...
	@$(MAKE) --no-print-directory e2e

bench: build ## the table of bench/README.md
	$(GO) run ./bench

lint: ## formatting, vet, staticcheck, and the types and lint of the console
	@test -z "$$(gofmt -l cmd internal bench)" || { gofmt -l cmd internal bench; echo 'run gofmt -w on these'; exit 1; }
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	cd web && npm run check

generate: ## the API shapes, from internal/api/model
	$(GO) generate ./...

clean:
	rm -rf bin internal/console/dist/app
