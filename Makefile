# `npm ci` brings the Node.js that Perilune needs (the package `node`), so any Node.js with npm can start from here.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
SHELL := /bin/bash
INSTALLED := node_modules/.package-lock.json
# jaeger: a real Jaeger; harness: the test harness's own OTLP collector.
BACKEND ?= jaeger
# Of the benchmarks: per cent that a ratio may fall, and a part of the rows' names.
THRESHOLD ?= 10
FILTER ?=

.DEFAULT_GOAL := help
.PHONY: help run test lint format bench bench-check bench-baseline coverage audit steady chaos otel-e2e prometheus-e2e schema build clean

help: ## list these targets
	@sed -nE 's/^([a-z0-9-]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 24

$(INSTALLED): package-lock.json
	@test ! -L node_modules || { echo 'node_modules is a link: npm ci would empty what it points to. Install there.' >&2; exit 1; }
	npm ci --no-fund --no-audit
	@touch $(INSTALLED)

run: $(INSTALLED) ## serve the example app, examples/orders
	@node bin/perilune.js run examples/orders

test: $(INSTALLED) ## run all tests that need no other server
	@npm test --silent

lint: $(INSTALLED) ## format, lint, types, unused code and dependencies, import cycles, layout
	@npm run --silent lint

format: $(INSTALLED) ## write the format and the safe fixes of the linter
	@npm run --silent format

bench: $(INSTALLED) ## compare with what else there is (FILTER=text: some rows; bench/README.md says how to read it)
	@npm run --silent bench -- --filter '$(FILTER)'

bench-check: $(INSTALLED) ## fail where a ratio is more than THRESHOLD per cent below bench/baseline.json
	@node bench/check.ts --threshold '$(THRESHOLD)' --filter '$(FILTER)'

bench-baseline: $(INSTALLED) ## write bench/baseline.json, after a change of ratios that is meant
	@node bench/check.ts --write --filter '$(FILTER)'

coverage: $(INSTALLED) ## run the tests and print what they cover (aim: 90 % of lines in runtime and interceptors)
	@npm run --silent coverage

audit: $(INSTALLED) ## known vulnerabilities of the dependencies, where the registry offers them
	@.ci/audit

steady: $(INSTALLED) ## a million calls leave no memory and no handles behind (minutes; `make test` does 12,000)
	@STEADY_CALLS=1000000 node test/boot/program/steady-state.test.ts

chaos: $(INSTALLED) ## 10,000 messages and rows while everything is killed (minutes; CHAOS_SEED=6; `make test` does 1,000)
	@node --disable-warning=ExperimentalWarning test/chaos/main.ts

otel-e2e: $(INSTALLED) ## the real program on real PostgreSQL and Redis against a real Jaeger (BACKEND=harness: against our own collector)
	@BACKEND=$(BACKEND) node test/e2e/otel.ts

prometheus-e2e: $(INSTALLED) ## the same program, scraped by a real Prometheus
	@node test/e2e/prometheus.ts

schema: $(INSTALLED) ## write schema/perilune.schema.json from the settings
	@npm run --silent schema

build: $(INSTALLED) ## compile dist/ for publishing
	@npm run --silent build

clean: ## remove what was installed and built
	rm -rf node_modules dist coverage .tap *.tgz
