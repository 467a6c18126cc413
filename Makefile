.DEFAULT_GOAL := help
CARGO ?= cargo

.PHONY: help test lint build

help: ## what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 14

build: ## the release binary
	$(CARGO) build --release --locked

test: ## every test
	@./scripts/test.sh

lint: ## format, clippy and rustdoc, warnings denied
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --quiet
