.DEFAULT_GOAL := help
CARGO ?= cargo
CACHE_BIN := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/chatflow-bridge/bin

.PHONY: help demo build test lint deny advisories docs bench bench-replicas abuse soak fuzz chart image test-chart test-image test-kube

help: ## what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 14

demo: ## see it work: a mock Chatflow, sample webhooks; no key, no server, nothing left behind
	@$(CARGO) run --locked --quiet -- demo $(DEMO)

build: ## the release binary
	$(CARGO) build --release --locked

test: ## every test, with the tools they need
	@./scripts/test.sh
	@./scripts/test-chart.sh

test-chart: ## the chart, its alerts and its dashboard: all that can be said without a cluster
	@./scripts/test-chart.sh

test-kube: ## the chart against a real API server (the first run builds it: 12 minutes)
	@./scripts/test-kube.sh

test-image: ## the image on stand-ins for its bases, run and looked at (the first run is a release build)
	@./scripts/test-image.sh

image: ## the image, with docker, podman or buildah
	@./scripts/image.sh

chart: ## what is made from other files: schema of the values, dashboard, README and golden renders of the chart
	@./scripts/chart.sh

lint: deny ## format, clippy and rustdoc with warnings denied, whether the fuzz targets build, licences and bans
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --quiet
	CARGO_TARGET_DIR=target $(CARGO) check --locked --quiet --manifest-path fuzz/Cargo.toml --bins

deny: ## licences, bans and sources of the dependencies
	@./scripts/tools.sh cargo-deny
	$(CARGO) fetch --locked --quiet
	PATH="$(CACHE_BIN):$$PATH" cargo-deny --offline check licenses bans sources

advisories: ## known faults of the dependencies; needs the advisory database
	@./scripts/tools.sh cargo-deny
	PATH="$(CACHE_BIN):$$PATH" cargo-deny check advisories

docs: ## the settings, the schema of mapping files and the pages and the table of the senders, made from the program
	$(CARGO) run --locked --quiet -- config --reference > docs/settings.md
	$(CARGO) run --locked --quiet -- schema > mappings/schema.json
	rm -f docs/senders/*.md
	$(CARGO) run --locked --quiet -- init --pages docs/senders
	$(CARGO) test --locked --quiet --test spec -- --ignored writes_the_table

bench: ## the budgets as ratios, in one table (takes some minutes)
	$(CARGO) bench --locked --bench ratios

bench-replicas: ## what one, two and four processes on one PostgreSQL give, beside SQLite (ten minutes)
	@./scripts/tools.sh postgresql
	$(CARGO) bench --locked --bench ratios -- replicas

abuse: ## honest senders while the listener is abused, in one table (four minutes)
	$(CARGO) bench --locked --bench ratios -- abuse

soak: ## the program killed 120 times under load (CRASH_KILLS, CRASH_SEED), and a large backlog under kills; takes some minutes
	$(CARGO) test --locked --quiet --test spec soak_ -- --ignored --nocapture --test-threads 1

fuzz: ## every decoder, the mapping files' reader, the signatures' parsers and HTTP's framing, each for FUZZ_SECONDS (20)
	@./scripts/fuzz.sh $(FUZZ)
