# Each target sets up what it needs; where all is there already, that takes no time.
.DEFAULT_GOAL := help
.PHONY: help serve test check lock

help:
	@echo "make serve   run Everbearer for development; make serve ARGS='--port 8080' passes options"
	@echo "make test    run everything that must pass"
	@echo "make check   only format, lint, types and contracts"
	@echo "make lock    write requirements.lock anew from pyproject.toml"

serve:
	@scripts/setup
	@exec .venv/bin/everbearer dev $(ARGS)

test:
	@scripts/setup --tests
	@scripts/test

check:
	@scripts/setup --node
	@scripts/check

lock:
	@scripts/setup --python
	@scripts/lock
