# Each target is one script in scripts/, which says at its top what it does.
.PHONY: help deps demo demo-stop build test test-full fmt lint bench fuzz release clean

help:
	@echo 'make deps       install the missing Debian packages'
	@echo 'make demo       a ward in miniature: backup, attack, incident, drill; then: make demo-stop'
	@echo 'make build      sentineld and sentinelctl in .build/dist'
	@echo 'make test       all tests; make test-full: the long versions too'
	@echo 'make lint       style of all sources; make fmt: mend it'
	@echo 'make bench      measurements beside restic, AIDE, openssl, SQLite'
	@echo 'make fuzz       mutation tests of all parsers, a minute each'
	@echo 'make release    an archive for servers; make clean: remove all of it'
deps:
	@scripts/deps build test
demo:
	@scripts/demo
demo-stop:
	@scripts/demo --stop
build:
	@scripts/build
test:
	@scripts/test
test-full:
	@scripts/test --full
fmt:
	@scripts/format
lint:
	@scripts/lint
bench:
	@scripts/bench
fuzz:
	@scripts/fuzz
release:
	@scripts/release
clean:
	@scripts/clean
