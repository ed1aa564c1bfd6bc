# The commands people and CI run. Each is one script or one line; `tools/setup` installs what they need.
.PHONY: demo setup test check package bench fuzz docs generate
PYTHON = .venv/bin/python

demo: setup
	$(PYTHON) demo/run

setup:
	tools/setup

test: setup
	tools/test

check: setup
	tools/check

package: setup
	tools/package

bench: setup
	benches/run

fuzz:
	fuzz/run 60

docs:
	cargo doc -p mailtide --no-deps

generate: setup
	$(PYTHON) bindings-python/stubs.py
