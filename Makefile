# The one menu. It needs make and Python 3.11 or newer; everything else lands in .tools/ and .venv/.

UV_VERSION := 0.13.9
AXE_VERSION := 4.11.1
AXE_SHA512 := 04048e83e6303b60bedf8eb1dcb64e7a8a2f4c8a13ad1a84b2a31ae9f99f015d0ff94f6616bf4db32384a6262f1636dceb834cad2b30855e7459d5f375bfd9e4
UV := $(or $(shell command -v uv 2>/dev/null),.tools/bin/uv)
PYTHON := $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
DOCS := README.md $(wildcard docs/*.md)
SYNC = $(if $(PYTHON),,$(error ringonce needs Python 3.11 or newer: install it so that python3 or python3.x is on the PATH))$(UV) sync --quiet --frozen --inexact

export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv
unexport VIRTUAL_ENV
# What is compiled is kept, for the many processes that the tests start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo lost-answer test browser screenshots schemathesis simulate chaos service-chaos bench ten-thousand bench-docs bench-batch check lint types imports docs-check docs fix
.DEFAULT_GOAL := help

help:  ## this menu
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/ready-dev  ## environment, package and tools, as locked

demo: .venv/ready-run  ## one call on behalf of an agent against the embedded sandbox; nothing real rings
	.venv/bin/ringonce demo

lost-answer: .venv/ready-sdk  ## what a lost answer costs: the official SDK beside ringonce
	.venv/bin/python examples/lost_answer.py

test: .venv/ready-sdk  ## the whole suite, the official SDK's tests included (TESTS="-k words" narrows it)
	.venv/bin/pytest -n 3 --dist worksteal $(TESTS)

browser: .venv/ready-browser .tools/axe/ready-$(AXE_VERSION)  ## logins and both pages in a real, headless Chromium (installed by apt if need be)
	.venv/bin/pytest -m browser --timeout 180 tests/browser $(TESTS)

screenshots: .venv/ready-browser  ## each view of the service's page from a live run, into .tools/screenshots and docs/images
	PYTHONPATH=tests:. .venv/bin/python -m browser.screenshots

schemathesis: .venv/ready-schemathesis  ## the service is asked whatever its OpenAPI document allows, and more
	.venv/bin/pytest -m schemathesis tests/service_web/test_openapi.py

simulate: .venv/ready-dev  ## N schedules of crashes, naps and a bad network from SEED on, each judged (JOBS=, WITHOUT=fencing)
	PYTHONPATH=tests .venv/bin/python -m simulation --schedules $(or $(N),10000) --seed $(or $(SEED),0) $(if $(JOBS),--jobs $(JOBS)) $(if $(WITHOUT),--without $(WITHOUT))

bench: .venv/ready-sdk  ## ringonce beside the official SDK and bare libraries, a table of targets (QUICK=1: two minutes)
	.venv/bin/python -m bench $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY))

ten-thousand: .venv/ready-dev  ## 10,000 calls followed at once in one process, each outcome held against the truth (TROUBLE=all)
	.venv/bin/python bench/ten_thousand.py $(if $(TROUBLE),--trouble $(TROUBLE))

bench-docs: .venv/ready-dev  ## docs/performance.md, its plots and the sizing table, from the last full run
	.venv/bin/python -m bench.report
	.venv/bin/cog -r docs/performance.md docs/operate.md

chaos: .venv/ready-dev  ## N intents over real processes that are killed and stopped, from SEED on, judged by the record
	PYTHONPATH=tests .venv/bin/python -m chaos --intents $(or $(N),2000) --seed $(or $(SEED),0)

service-chaos: .venv/ready-dev  ## N calls over three workers on PostgreSQL (WITH=sqlite) that are killed, as are the database and the platform
	PYTHONPATH=tests .venv/bin/python -m service_chaos --intents $(or $(N),2000) --seed $(or $(SEED),0) --with $(or $(WITH),postgresql)

bench-batch: .venv/ready-dev  ## a batch of 100,000 rows taken in, 5,000 of them dialled through kill -9, results checked
	.venv/bin/python bench/batches.py 100000 5000

check: lint types imports docs-check test  ## what CI runs, tests last

lint: .venv/ready-dev  ## format and rules
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	$(UV) lock --check --quiet

types: .venv/ready-dev  ## mypy, strict, over src, tests and bench
	.venv/bin/mypy

imports: .venv/ready-dev  ## who may import whom
	.venv/bin/lint-imports

docs-check: .venv/ready-dev  ## generated pages are current
	.venv/bin/cog --check $(DOCS)

docs: .venv/ready-dev  ## generate them anew
	.venv/bin/cog -r $(DOCS)

fix: .venv/ready-dev  ## repair what can be repaired by itself
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
	.venv/bin/cog -r $(DOCS)

# Each of these adds to the environment and takes nothing away, so that the demo never waits for the tools or the SDK.
.venv/ready-run: pyproject.toml uv.lock | $(UV)
	$(SYNC) --no-default-groups --extra sandbox
	@touch $@

.venv/ready-dev: pyproject.toml uv.lock | $(UV)
	$(SYNC) --all-extras
	@touch $@ .venv/ready-run

.venv/ready-sdk: pyproject.toml uv.lock | $(UV)
	$(SYNC) --all-extras --group official-sdk
	@touch $@ .venv/ready-dev .venv/ready-run

.venv/ready-schemathesis: pyproject.toml uv.lock | $(UV)
	$(SYNC) --all-extras --group schemathesis
	@touch $@ .venv/ready-dev .venv/ready-run

.venv/ready-browser: pyproject.toml uv.lock | $(UV)
	$(SYNC) --all-extras --group browser
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } || { echo "make browser needs Chromium: install it so that chromium is on the PATH" >&2; exit 1; }
	@touch $@ .venv/ready-dev .venv/ready-run

# Accessibility rules, for the tests alone: no file of it is in the package.
.tools/axe/ready-$(AXE_VERSION):
	@mkdir -p $(@D)
	@cd $(@D) && { npm pack --silent axe-core@$(AXE_VERSION) || curl -fsSLO https://registry.npmjs.org/axe-core/-/axe-core-$(AXE_VERSION).tgz; } >/dev/null 2>&1 || { echo "axe-core can't be fetched here: the tests that need it are skipped" >&2; exit 0; }; \
	echo "$(AXE_SHA512)  axe-core-$(AXE_VERSION).tgz" | sha512sum --check --quiet && tar -xzf axe-core-$(AXE_VERSION).tgz package/axe.min.js package/LICENSE && touch $(@F)

.tools/bin/uv:
	@$(if $(PYTHON),$(PYTHON),false) -c 'import ensurepip, venv' 2>/dev/null || { echo "ringonce needs Python 3.11 or newer with its venv module (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
