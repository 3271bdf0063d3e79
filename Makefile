# Portico. `make run` and `make test` need Go, make and git; everything else is fetched.
export GOTOOLCHAIN := auto
export GOFLAGS     := -mod=readonly
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X portico/internal/version.Version=$(VERSION)
BIN     := bin/portico
TOOLS   := $(CURDIR)/.cache/bin
LINT    := $(TOOLS)/golangci-lint-2.15.0
CORPUS  ?= ../shared/corpus
SHARED  ?= ../shared
CLIENTS ?=
# The race detector needs a C compiler, which a fresh machine may lack.
RACE    := $(shell command -v cc >/dev/null 2>&1 && echo -race)
# The page in the browser, and what it is made of.
PAGE    := web/dist/index.html
PAGESRC := $(shell find web/ui -name node_modules -prune -o -path web/ui/e2e -prune -o -type f -print 2>/dev/null)

.PHONY: run build test check bench gen schema conformance soak clients shots clean help
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# $(call go) is one clear line where Go is missing, instead of a make error.
define need
@command -v $(1) >/dev/null 2>&1 || { echo "$(1) is needed and was not found: $(2)" >&2; exit 1; }
endef

build: $(PAGE) ## build bin/portico, static, with the UI inside
	$(call need,go,install Go 1.21 or newer from go.dev; it fetches the rest)
	@go mod download # without a line for each module
	@CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/portico

# Without Node, or where its packages cannot be had, the binary serves a page
# that says so; all else goes on.
$(PAGE): $(PAGESRC)
	@if ! command -v npm >/dev/null 2>&1; then \
		echo "the UI is left out, since Node is missing: install Node 20.19 or newer, then make build" >&2; \
	elif ! $(MAKE) --no-print-directory web/ui/node_modules/.package-lock.json || ! (cd web/ui && npm run --silent build); then \
		echo "the UI is left out, since it could not be built (see above)" >&2; \
	fi

web/ui/node_modules/.package-lock.json: web/ui/package-lock.json
	@cd web/ui && npm ci --silent --no-audit --no-fund && touch node_modules/.package-lock.json

run: build ## build, then serve on 127.0.0.1:8045 with the simulator on
	@exec $(BIN) serve --simulator $(ARGS)

test: $(PAGE) ## all tests, with the race detector where a C compiler is there
	$(call need,go,install Go 1.21 or newer from go.dev; it fetches the rest)
	@[ -n "$(RACE)" ] || echo "no C compiler (cc): testing without the race detector" >&2
	@go mod download
	@go test $(RACE) ./...

check: $(LINT) web/ui/node_modules/.package-lock.json ## lint, format, generated files, the UI's types, messages and size, and the module's sums
	$(call need,npm,install Node 20.19 or newer)
	@go mod verify >/dev/null
	@go mod tidy -diff
	@$(LINT) run ./...
	@cd internal/gen/catalog && go vet ./...
	@go test ./internal/admin -run TestSchemaIsCurrent -exact >/dev/null || { echo "web/ui/src/api/schema.d.ts is not of the API: run make schema" >&2; exit 1; }
	@cd web/ui && npm run --silent check && npm run --silent build -- --say

$(LINT):
	$(call need,go,install Go 1.21 or newer from go.dev; it fetches the rest)
	@mkdir -p $(TOOLS) && echo "building golangci-lint (once, a minute or two)" >&2
	@GOFLAGS= GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
	@mv $(TOOLS)/golangci-lint $@

gen: ## make the generated files anew: models and prices, and the UI's types of the API
	@cd internal/gen/catalog && GOFLAGS= go run . -o ../../catalog/models.tsv
	@$(MAKE) --no-print-directory schema

schema: web/ui/node_modules/.package-lock.json ## the UI's types of the API alone
	@mkdir -p .cache && go test ./internal/admin -run TestSchemaIsCurrent -write $(CURDIR)/.cache/openapi.json >/dev/null
	@cd web/ui && node scripts/gen.mjs ../../.cache/openapi.json

shots: build ## pictures of every page into web/ui/e2e/shots; ARGS names some of them
	@CGO_ENABLED=0 go build -o bin/gallery ./internal/gallery
	@cd web/ui && node e2e/shots.mjs $(ARGS)

bench: build ## CPU per request and chunk beside a bare reverse proxy, memory, start-up, size, a choice of accounts
	@go run ./internal/bench -gateway $(BIN) $(ARGS)
	@go test ./internal/pool -run '^$$' -bench Lease -cpu 1

conformance: build ## recorded traffic through the gateway; CORPUS names its folder
	@go run ./internal/conformance -corpus $(CORPUS) -gateway $(BIN) -matrix docs/conformance.md $(ARGS)

soak: build ## what takes long: kill -9 under load, faults, leaks, attacks in full size
	@go run ./internal/soak -gateway $(BIN) $(ARGS)
	@go test ./internal/attack -count=1 -timeout 30m -args -full

clients: build ## real CLIs and SDKs through the gateway; CLIENTS names a folder that has them
	@go run ./internal/judge -gateway $(BIN) -clients '$(CLIENTS)' -source $(SHARED)/tools/clients $(ARGS)

clean: ## remove what was built
	@rm -rf bin dist .cache
