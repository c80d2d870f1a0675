# Shortcuts for people who work on Treewright. `make test` is what counts; it
# needs root and a network for all of its tests. See CONTRIBUTING.md.

# Installs or downloads Go where that is necessary.
GO := builder/go

.PHONY: all build install uninstall release test unit e2e proof chaos servers fuzz bench plots lint golden schema pictures clean

all: build

# The program alone; ./build compiles it by itself when needed.
build:
	./build version

# The program as one static file, for trees of your own: make install PREFIX=$HOME/.local
PREFIX ?= /usr/local
install: build
	install -D -m 0755 .cache/bin/treewright $(DESTDIR)$(PREFIX)/bin/treewright

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/treewright

# Static programs of the newest commit for amd64 and arm64, with checksums that are the same
# on all machines.
DIST ?= dist
release:
	builder/release "$(DIST)"

# Everything: the tests of all packages, then a real build.
test: unit e2e

unit:
	$(GO) test . ./builder/...

# Builds small flavours from the real archive, two at a time: most of a build is one
# process after the other, and waiting for the disk. Needs root.
e2e: build
	$(GO) test -tags e2e -count=1 -v -parallel 2 -timeout 80m ./builder/e2e

# What takes longer than CI may: ten builds with packages that come and go, the
# default flavour built by two callers, and the upgrade of stable in a machine.
# docs/proof.md keeps the figures.
proof: build
	$(GO) test -tags e2e,proof -count=1 -v -timeout 120m -run Proof ./builder/e2e
	./build test debian-trixie-amd64-ostree --upgrade
	test/remote-cache debian-trixie-amd64-ostree whole
	test/fresh

# Builds that are killed, lose their power, run out of space, and find flipped bytes;
# fails on one loss: make chaos CHAOS=20. docs/proof.md keeps the figures.
chaos: build
	$(GO) test -tags e2e,chaos -count=1 -v -timeout 120m -run TestChaos ./builder/e2e

# Tests the clients of shared caches and of remote execution with real servers in a root of Debian testing. Needs root.
servers:
	rm -rf .cache/servers/casd .cache/servers/exec .cache/servers/registry
	test/servers casd .cache/servers/casd -- $(GO) test -tags servers -count=1 -v -run TestRealServer ./builder/remote/reapi
	test/servers exec .cache/servers/exec -- $(GO) test -tags servers -count=1 -v -run TestRealExecution ./builder/remote/reapi
	test/servers registry .cache/servers/registry -- $(GO) test -tags servers -count=1 -v -run TestRegistryServer ./builder/remote/oci

# Each fuzz test for a while: make fuzz FUZZTIME=1m
fuzz:
	test/fuzz

# Real builds and Go's benchmarks, as a table with the targets: make bench CASES="unchanged changed".
# `test/bench --list` prints the cases.
bench: build
	test/bench $(CASES)

# Costs that depend on the size of a tree or a graph, measured and drawn in docs/pictures.
plots:
	test/bench --plot

# gofmt, go vet, staticcheck, shellcheck.
lint:
	test/lint

# Writes the files that tests compare with again; look at the difference before you commit it.
golden: schema
	$(GO) test ./builder/config ./builder/compose ./builder/stage ./builder/gardenlinux/stages ./builder/cli -run 'Golden|Good|Features|Schema|Scripts|Mistakes' -update

schema: build
	./build schema

# The pictures in docs/pictures, from real builds; CONTRIBUTING.md lists what it needs.
pictures:
	test/pictures

# The program and the cache. What was built stays, above all its history:
# ./build clean FLAVOUR is for that.
clean:
	rm -rf .cache
