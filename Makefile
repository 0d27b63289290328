# The one front end. `make` alone lists the targets.
SHELL := /bin/bash
BUILD ?= build
BUILDTYPE ?= release
PREFIX ?= /usr/local
# The compiler is clang-19 through ccache where there is one; CXX and CC name another.

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## install what is missing, from packages
	@tools/setup

.PHONY: build build-with-tests release debug asan
build: setup ## build what is installed into ./build
	@tools/build $(BUILD) $(BUILDTYPE) product
build-with-tests: setup ## build what is installed and what the tests need
	@tools/build $(BUILD) $(BUILDTYPE) all
release: ## build with optimisation into ./build
	@$(MAKE) --no-print-directory build BUILDTYPE=release
debug: ## build without optimisation into ./build-debug
	@$(MAKE) --no-print-directory build BUILD=build-debug BUILDTYPE=debug
asan: ## build and run the unit tests under ASan and UBSan in ./build-asan
	@$(MAKE) --no-print-directory build-with-tests BUILD=build-asan BUILDTYPE=asan
	@tools/test build-asan unit

.PHONY: test unit integration golden sim test-fresh test-vm
test: build-with-tests ## run every test this machine can run (LONG=1 for the long form)
	@tools/test $(BUILD) all
unit: build-with-tests ## run the unit tests
	@tools/test $(BUILD) unit
integration: build-with-tests ## run the integration tests
	@tools/test $(BUILD) integration
golden: build-with-tests ## count agreement with the recorded answers (DIR=path counts those of another directory)
	@GOLDEN_DIR="$(if $(DIR),$(abspath $(DIR)))" tools/test $(BUILD) golden
sim: build-with-tests ## run simulated clusters from SEEDS seeds (200), the first being FIRST (1)
	@$(BUILD)/tests/sim/raft-sim -seeds $(or $(SEEDS),200) -first $(or $(FIRST),1)
test-fresh: setup ## make demo and make test in a minimal new Debian root
	@tools/test-fresh

.PHONY: chaos test-rules
test-rules: setup ## take each security rule out of a copy of the sources and show that its test fails
	@tests/security/without_rules.py
chaos: build-with-tests ## kill agent, drivers and executors at random while tasks run (KILLS=1000, SEED=number to repeat the choices)
	@BUILD=$(BUILD) KILLS=$(or $(KILLS),1000) tests/integration/chaos_test.py

test-vm: build-with-tests deb ## run what needs systemd, cgroup v2 or packages in a virtual machine (TESTS="package java" chooses)
	@tests/vm/run $(BUILD) $(TESTS)

.PHONY: demo
demo: build ## run one job from file to log line (KEEP=1 leaves the agent up)
	@BUILD=$(BUILD) tools/demo

.PHONY: lint fmt bench fuzz install deb build-stats
lint: setup ## check the include table, headers and names
	@tools/lint
fmt: setup ## format the lines that changed since the last commit
	@git clang-format-19 --binary clang-format-19 --force --quiet HEAD -- '*.cc' '*.h' || [ $$? -eq 1 ]  # 1: something was formatted
bench: setup ## build and run the benchmarks
	@tools/bench
fuzz: setup ## build the fuzz targets and run each for a short time
	@tools/fuzz
install: build ## install below PREFIX (/usr/local), honouring DESTDIR
	@meson configure $(BUILD) -Dprefix="$(PREFIX)"
	@tools/build $(BUILD) $(BUILDTYPE) product  # files that name the prefix
	@DESTDIR="$(DESTDIR)" meson install -C $(BUILD) --no-rebuild --quiet
deb: build ## make Debian packages in ./build/deb
	@tools/deb $(BUILD)
build-stats: ## show where the time of the last build went
	@tools/build-stats $(BUILD)
