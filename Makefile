# The commands people and CI run. Each is one script or one line; `tools/setup` installs what they need.
.PHONY: demo setup test clients soak check package bench fuzz docs generate simulate
PYTHON = .venv/bin/python

demo:
	tools/setup packages
	$(PYTHON) demo/run

setup:
	tools/setup

test: setup
	tests/clients/setup
	tools/test

clients:
	tests/clients/setup all
	MAILTIDE_CLIENTS=1 python3 -m unittest discover --verbose --start-directory tests/clients

soak: setup
	tools/soak

check: setup
	tools/check

package:
	tools/package

bench: setup
	benches/run
	benches/served

fuzz:
	fuzz/run 60

# N histories from SEED on, or one again: make simulate REPLAY=…
N = 1000
SEED = 1
simulate:
	cargo run --quiet --profile simulation --package mailtide-simulation --example simulate-engine -- N=$(N) SEED=$(SEED) REPLAY=$(REPLAY)

docs:
	cargo doc -p mailtide --no-deps

generate: setup
	$(PYTHON) bindings-python/stubs.py
