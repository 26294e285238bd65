# Needs make and Python 3.11 or newer, nothing else. `make PYTHON=python3.12 up` picks another Python.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Checks load the settings, which want secrets; these protect nothing.
THROWAWAY_SECRETS = UPQUORUM_SECRET_KEY=throwaway-throwaway-throwaway-throwaway-throwaway-1 \
	UPQUORUM_ENCRYPTION_KEYS=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

.PHONY: help up test bench bench-api accuracy chaos chaos-deliveries bench-probes bench-history oracle check format lock clean sim fuzz-api

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

up: .venv/local.installed ## run everything on this machine until ctrl-C
	@$(BIN)/python -m config.local.up

# Servers that are given are one set, and the tests of several processes would meet there.
AT_ONCE = -n logical --maxprocesses=4 --dist=loadfile --no-loadscope-reorder
test: .venv/dev.installed ## run the tests, on a PostgreSQL and a Valkey of their own
	@$(BIN)/python -m pytest $(if $(UPQUORUM_DATABASE_URL),,$(AT_ONCE))

accuracy: .venv/dev.installed ## do faults to the real system and measure what it tells (ARGS="--help")
	@$(BIN)/python -m benchmarks.accuracy $(ARGS)

chaos: .venv/dev.installed ## faults done to the whole system: what is lost, doubled, false, and how long until checks run again
	@$(BIN)/python -m benchmarks.chaos $(ARGS)

chaos-deliveries: .venv/dev.installed ## 10,000 events to receivers of which a third misbehave, the worker killed 50 times
	@$(BIN)/python -m benchmarks.deliveries $(ARGS)

bench: .venv/bench.installed ## checks a second from the schedule to the database, beside other designs (ARGS="--help")
	@$(BIN)/python -m benchmarks.pipeline $(ARGS)

bench-probes: .venv/bench.installed ## looks a second of one core, beside bare libcurl, blackbox_exporter, requests and aiohttp
	@$(BIN)/python -m benchmarks.probes

bench-api: .venv/dev.installed ## requests a second, p95 and CPU of the API's main calls, and of heartbeats' pings (ARGS="--help")
	@$(BIN)/python -m benchmarks.api $(ARGS)

bench-history: .venv/dev.installed ## how fast a month of 10,000 monitors is read: results, uptime, charts (ARGS="--help")
	@$(BIN)/python -m benchmarks.history $(ARGS)

oracle: .venv/dev.installed ## the same cases to us, blackbox_exporter and monitoring-plugins, each disagreement explained
	@$(BIN)/python -m benchmarks.oracle

check: .venv/dev.installed ## lint, types, import rules, migrations, and Django's check of production settings
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(THROWAWAY_SECRETS) $(BIN)/mypy
	$(THROWAWAY_SECRETS) $(BIN)/lint-imports
	$(THROWAWAY_SECRETS) UPQUORUM_HTTPS=1 $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(THROWAWAY_SECRETS) $(BIN)/python -W error manage.py makemigrations --check --settings config.no_database

SEEDS ?= 20000
sim: .venv/dev.installed ## run SEEDS simulated worlds of trouble through the rules of the verdict
	@$(BIN)/python -m benchmarks.simulation --seeds $(SEEDS)

fuzz-api: .venv/dev.installed ## ask the real API 20,000 times and more what its OpenAPI document allows and what not (ARGS="--help")
	@$(BIN)/python -m benchmarks.fuzz_api $(ARGS)

format: .venv/dev.installed ## format the code and fix what can be fixed
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lock: .venv/dev.installed ## pin every dependency by hash, for all platforms
	for name in probe agent core telemetry local dev bench; do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
			--no-emit-index-url --no-annotate requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done

clean: ## remove the virtual environment and caches; data stays
	rm -rf .venv build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.version_info < (3, 11) and sys.exit("Python 3.11 or newer is needed: make PYTHON=...")'
	@$(PYTHON) -m venv .venv

# Installed again when the lock changes.
.venv/%.installed: requirements/%.txt | .venv/bin/python
	@echo "Installing $< into .venv ..."
	@$(PIP) install --require-hashes -r $<
	@touch $@
