# ccache, the Call Cache toolkit. `make help` lists the targets.
PROGRAM ?= ccache
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
SAN     ?=

empty :=
comma := ,
# Sanitized objects never mix with plain ones: SAN=address,undefined builds in build-san-address-undefined.
ifeq ($(SAN),)
BUILD ?= build
else
BUILD ?= build-san-$(subst $(comma),-,$(SAN))
endif

VERSION := 0.1.0
PKGS    := hiredis libcurl libcjson smartcols zlib libzstd readline
MHD     := libmicrohttpd

# Asked once and only when something is compiled: `make deps` must work before pkg-config exists.
pkg_config = $(or $(shell pkg-config $(1) $(2) 2>/dev/null || echo missing),$(empty))
pkg_flags  = $(if $(filter missing,$(pkg_config)),$(error $(2): not all there; `make deps` installs them),$(pkg_config))
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(call pkg_flags,--cflags,$(PKGS)))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $$(call pkg_flags,--libs,$(PKGS)))$(PKG_LIBS)
MHD_LIBS   = $(eval MHD_LIBS := $$(call pkg_flags,--libs,$(MHD)))$(MHD_LIBS)

CSTD     := -std=gnu11
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
OPTIMISE := -O2 -g
CPPFLAGS += -D_GNU_SOURCE -DCCACHE_VERSION='"$(VERSION)"' -Isrc -Icmd -I$(BUILD)
CFLAGS   += $(CSTD) $(WARNINGS) $(OPTIMISE) $(PKG_CFLAGS) -MMD -MP
LDLIBS   += $(PKG_LIBS) -lm
ifneq ($(SAN),)
CFLAGS   += -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
LDFLAGS  += -fsanitize=$(SAN)
endif
# Set by `make fuzz` for its own build, with clang (whose warnings are not ours to obey).
ifneq ($(FUZZING),)
CFLAGS   += -fsanitize=fuzzer-no-link -DFUZZING -Wno-error
endif
FUZZ_SECONDS ?= 60

ROOMS    := base opt out wire source core
SRCS     := $(foreach room,$(ROOMS),$(wildcard src/$(room)/*.c))
CMDS     := $(wildcard cmd/*.c)
PROFILES := $(patsubst %,src/profiles/%.json,call-logs realtime sessions messages leads)
OBJS     := $(SRCS:%.c=$(BUILD)/%.o) $(BUILD)/profiles.o
CMDOBJS  := $(CMDS:%.c=$(BUILD)/%.o)
UNITS    := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*_test.c))
UPSTREAM := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/upstream/*.c))
DOCGEN   := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/docgen/*.c))
FUZZERS  := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
FUZZOBJS := $(FUZZERS:%=$(BUILD)/tests/fuzz/%.o)
FUZZHELP := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/fuzz/support/*.c))
FUZZREST := $(FUZZHELP) $(filter-out $(BUILD)/cmd/main.o,$(CMDOBJS))
BENCHES  := $(patsubst tools/bench/%.c,$(BUILD)/bench/%,$(wildcard tools/bench/*.c))
BATS     := $(wildcard tests/*.bats)
LIB      := $(BUILD)/libccache.a
BIN      := $(BUILD)/$(PROGRAM)

export BUILD PROGRAM SAN
# V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-4s %s\n' $(1) $@)
MAKEFLAGS += --no-print-directory
# demo and test build on every core unless the caller said how many.
parallel = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))
.DELETE_ON_ERROR:

all: $(BIN) ## build the program (the default)

deps: ## install what building and testing need (Debian, Ubuntu)
	@tools/deps.sh build tests

lint-deps: ## install what `make lint` needs
	@tools/deps.sh build lint

demo: ## tell the story against throwaway servers (DEMO_SHELL=1: and stay in a shell)
	@tools/deps.sh build demo
	@$(MAKE) $(parallel) all upstream
	@tools/demo.sh

test: ## install, build, run every test; the last line is `N passed, N failed`
	@tools/deps.sh build tests
	@$(MAKE) $(parallel) all upstream $(BUILD)/docgen $(UNITS)
	@tests/run $(UNITS) $(BATS)

units: $(UNITS) ## run the unit tests only
	@tests/run $(UNITS)

bats: $(BIN) upstream $(BUILD)/docgen ## run the end-to-end tests only
	@tests/run $(BATS)

check: test ## the same as test

fuzz: ## look for input that makes it crash, 60 s each (FUZZ_SECONDS=600, FUZZERS="url reply")
	@tools/deps.sh build fuzz
	@$(MAKE) $(parallel) CC=clang BUILD=build-fuzz SAN=address,undefined FUZZING=1 fuzzers
	@tools/fuzz.sh build-fuzz $(FUZZ_SECONDS) $(FUZZERS)

valgrind: ## the verbs under valgrind: memory and file descriptors (VERBS='bench|repl': only what matches)
	@tools/deps.sh build demo valgrind
	@$(MAKE) $(parallel) all upstream
	@tools/valgrind.sh $(if $(VERBS),'$(VERBS)')

fuzzers: $(FUZZERS:%=$(BUILD)/fuzz/%)

upstream: $(BUILD)/upstream ## build the tests' HTTP server

bench-tools: $(BENCHES) ## build tools/bench/*.c

bench-peers: $(BIN) $(BENCHES) ## our speed beside our peers', both sides in one run (BENCH=warm: one of tools/bench/*.sh)
	@tools/bench/run $(BENCH)

docs: $(BUILD)/docgen ## renew what manual and completions say of verbs, options and profiles
	@$(BUILD)/docgen .

install: $(BIN) ## install under DESTDIR/PREFIX as PROGRAM (FORCE=1: over a foreign one)
	@tools/install.sh "$(BIN)" "$(DESTDIR)$(PREFIX)" "$(PROGRAM)" "$(DESTDIR)"

uninstall: ## remove what install put there
	@tools/uninstall.sh "$(DESTDIR)$(PREFIX)" "$(PROGRAM)"

clean: ## remove the build directory
	rm -rf $(BUILD)

fmt: ## format the C sources in place
	@tools/lint/format.sh --fix

lint: ## run every checker
	@tools/lint/all.sh

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  variables: PROGRAM=$(PROGRAM) PREFIX=$(PREFIX) DESTDIR= BUILD=$(BUILD) SAN=address,undefined FORCE=1 DEMO_SHELL=1 V=1"

$(BIN): $(CMDOBJS) $(LIB)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LDLIBS)

$(LIB): $(OBJS) $(BUILD)/objects
	$(call say,AR)
	@rm -f $@
	$(Q)ar rcs $@ $(OBJS)

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/profiles.c: tools/embed.sh $(PROFILES)
	@mkdir -p $(@D)
	tools/embed.sh $(PROFILES) >$@

$(BUILD)/profiles.o: $(BUILD)/profiles.c $(BUILD)/flags
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/unit/%: tests/unit/%.c $(LIB) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -Itests/unit $(LDFLAGS) -o $@ $(filter %.c %.o,$^) $(LIB) $(LDLIBS)

$(FUZZOBJS) $(FUZZHELP): private CPPFLAGS += -Itests/fuzz
# tests/fuzz/support/answer.c serves whoever is about to wait, and lets time pass.
$(FUZZERS:%=$(BUILD)/fuzz/%) $(BUILD)/unit/fuzz_corpus_test: private LDFLAGS += -Wl,--wrap=poll,--wrap=clock_gettime
$(BUILD)/unit/fuzz_corpus_test: $(FUZZOBJS) $(FUZZREST)
$(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/%.o $(FUZZREST) $(LIB)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

$(BUILD)/bench/%: tools/bench/%.c $(LIB) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIB) $(LDLIBS)

$(UPSTREAM): private CPPFLAGS += -Itests/upstream
$(BUILD)/upstream: $(UPSTREAM) $(LIB)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(MHD_LIBS) $(LDLIBS)

$(DOCGEN): private CPPFLAGS += -Itools/docgen
$(BUILD)/docgen: $(DOCGEN) $(filter-out $(BUILD)/cmd/main.o,$(CMDOBJS)) $(LIB)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# A changed flag recompiles, a deleted source leaves the archive: both stamps change only when their text does.
keep_if_same = @mkdir -p $(@D); echo '$(1)' | cmp -s - $@ || echo '$(1)' >$@
$(BUILD)/flags: FORCE
	$(call keep_if_same,$(CC) $(subst ','\'',$(CPPFLAGS)) $(CFLAGS))
$(BUILD)/objects: FORCE
	$(call keep_if_same,$(OBJS))

-include $(OBJS:.o=.d) $(CMDOBJS:.o=.d) $(UPSTREAM:.o=.d) $(DOCGEN:.o=.d) $(UNITS:%=%.d) $(BENCHES:%=%.d) $(FUZZOBJS:.o=.d) $(FUZZHELP:.o=.d)
.PHONY: all deps lint-deps demo test units bats check upstream bench-tools bench-peers docs install uninstall clean fmt lint fuzz fuzzers valgrind help FORCE
