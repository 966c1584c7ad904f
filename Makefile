# make            build/reinstate
# make demo       the story of examples/01 and 02, against the simulated Azure
# make quick      lint, unit and golden tests (seconds, for every save)
# make test       everything a developer runs before pushing, with sanitizers, JOBS parts side by side
# make check      the same from programs whose warnings are errors, clang's opinion, valgrind
# make everything make check and make conformance in one row of parts: what .ci/run does
# make bench      what it costs: figures beside bounds and peers (LARGE=1: the large ones too)
# make scenario | claims | growth | knobs | property | examples | lint | unit | golden | bad-input | https | secrets | sign-in | runbook | screen | night | engine | sight | places | planted | manual | validate | first | doctor     parts of it; golden-update rewrites the expected plans
# VARIANT=release|asan, CC=gcc|clang: each has an object directory of its own. V=1 shows every command.

CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
VARIANT ?= release
OUT     := build/$(CC)-$(VARIANT)$(if $(WERROR),-werror)

Q := $(if $(V),,@)

PACKAGES       := gcc make pkg-config libyaml-dev libcurl4-openssl-dev libssl-dev libpcre2-dev libmicrohttpd-dev ca-certificates
TEST_PACKAGES  := $(PACKAGES) curl openssl jq procps shellcheck zsh fish groff-base tmux
CHECK_PACKAGES := $(TEST_PACKAGES) clang valgrind gdb

PKGS    := yaml-0.1 libcurl libcrypto libpcre2-8 libmicrohttpd
LIBRARY_VERSIONS := $(shell for p in $(PKGS); do printf '%s %s,' $$p "$$(pkg-config --modversion $$p 2>/dev/null)"; done | sed 's/,$$//')
CFLAGS_COMMON := -std=gnu17 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wformat=2 \
                 -Wundef -Wvla -Wframe-larger-than=16384 -D_GNU_SOURCE -g $(shell pkg-config --cflags $(PKGS) 2>/dev/null) \
                 $(if $(WERROR),-Werror)
CFLAGS_release := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong
CFLAGS_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS_asan   := -fsanitize=address,undefined
CFLAGS_counted  := -O1 -fsanitize-coverage=trace-pc
LDFLAGS_counted := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
LDLIBS  := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lpthread -lm
ALL_CFLAGS := $(CFLAGS_COMMON) $(CFLAGS_$(VARIANT)) $(CFLAGS)

LIB_SRC  := $(wildcard reconciler/*/*.c providers/*/*.c)
# What stands in the binary alone, and in no library.
MAIN_SRC := cmd/main.c cmd/free.c
CMD_SRC  := $(filter-out $(MAIN_SRC),$(wildcard cmd/*.c))
# WITHOUT=FILES: all but these
UNIT_SRC := $(filter-out $(WITHOUT),$(wildcard tests/unit/test_*.c tests/golden/test_*.c tests/contract/test_*.c))
LIB_OBJ  := $(LIB_SRC:%.c=$(OUT)/%.o) $(CMD_SRC:%.c=$(OUT)/%.o) $(OUT)/schema_files.o $(OUT)/runbook_scripts.o
UNIT_BIN := $(UNIT_SRC:tests/%.c=$(OUT)/tests/%)

all: build/reinstate

build/reinstate: $(OUT)/reinstate
	@mkdir -p build && ln -sf $(OUT:build/%=%)/reinstate $@

# What counts does not count itself.
$(OUT)/tests/growth/counted.o: tests/growth/counted.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_COMMON) -O2 -c -o $@ $<

$(OUT)/reinstate: $(MAIN_SRC:%.c=$(OUT)/%.o) $(if $(filter counted,$(VARIANT)),$(OUT)/tests/growth/counted.o) $(OUT)/libreinstate.a
	@echo "  link $@"
	$(Q)$(CC) $(LDFLAGS_$(VARIANT)) -o $@ $^ $(LDLIBS)

$(OUT)/libreinstate.a: $(LIB_OBJ)
	@rm -f $@
	@ar rcs $@ $^

$(OUT)/cmd/version.o: ALL_CFLAGS += -DREINSTATE_LIBRARIES='"$(LIBRARY_VERSIONS)"'
$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  cc   $<"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The schemas are embedded: one table of names and bytes.
$(OUT)/schema_files.c: $(wildcard schemas/*.json) tests/embed.sh
	@mkdir -p $(@D)
	$(Q)sh tests/embed.sh schema.h schema_file schema_files schemas/*.json > $@
$(OUT)/schema_files.o: $(OUT)/schema_files.c
	$(Q)$(CC) $(ALL_CFLAGS) -Ireconciler/format -c -o $@ $<

# So are the fixed parts of the runbooks, which shellcheck reads where they stand.
RUNBOOK_SCRIPTS := $(wildcard providers/runbook/*.sh providers/runbook/*.ps1)
$(OUT)/runbook_scripts.c: $(RUNBOOK_SCRIPTS) tests/embed.sh
	@mkdir -p $(@D)
	$(Q)sh tests/embed.sh scripts.h script_file script_files $(RUNBOOK_SCRIPTS) > $@
$(OUT)/runbook_scripts.o: $(OUT)/runbook_scripts.c providers/runbook/scripts.h
	$(Q)$(CC) $(ALL_CFLAGS) -Iproviders/runbook -c -o $@ $<

$(OUT)/tests/%: tests/%.c tests/harness.h $(OUT)/libreinstate.a
	@mkdir -p $(@D)
	@echo "  test $@"
	$(Q)$(CC) $(ALL_CFLAGS) -Itests -MMD -MP $(LDFLAGS_$(VARIANT)) -o $@ $< $(OUT)/libreinstate.a $(LDLIBS)

# --- tests. Each recipe calls tests/run.sh, which counts programs and checks. ------------------------------------------

unit: $(UNIT_BIN)
	@sh tests/run.sh unit $(UNIT_BIN)

golden: $(OUT)/tests/golden/golden
	@$< tests/golden

golden-update: $(OUT)/tests/golden/golden
	@$< --update tests/golden && git --no-pager diff --stat tests/golden

# SAMPLE=N: one scenario in N
SOME = $(if $(SAMPLE),$(shell ls tests/scenario/*.yaml | sed 's|.*/||; s|\.yaml||' | awk 'NR % $(SAMPLE) == 0'))
scenario: $(OUT)/reinstate $(OUT)/tests/scenario/scenario
	@$(OUT)/tests/scenario/scenario $(abspath $(OUT)/reinstate) $(CURDIR) tests/scenario $(SOME)

# STORY=NAME: that one of tests/knobs/stories.yaml
knobs: $(OUT)/tests/knobs/test_knobs
	@$< $(STORY)

# SEED=N another ten thousand; tests/property/property --only K plays one of them
STATES ?= 10000
SEED   ?= 20261123
property: $(OUT)/tests/property/property
	@$< --seed $(SEED) --count $(STATES)

# Its program counts what it does: VARIANT=counted, and gcc, whatever CC is.
growth:
	@$(MAKE) --no-print-directory -s CC=gcc VARIANT=counted build/gcc-counted$(if $(WERROR),-werror)/reinstate
	@sh tests/growth.sh build/gcc-counted$(if $(WERROR),-werror)/reinstate

# Figures beside bounds and peers, with the load of the machine: a table, and build/bench.json. LARGE=1: the large ones too.
BENCH_BIN := $(patsubst tests/%.c,$(OUT)/tests/%,$(wildcard tests/bench/*.c))
$(OUT)/tests/bench/empty: LDFLAGS_$(VARIANT) += -Wl,--no-as-needed
bench: $(OUT)/reinstate $(BENCH_BIN)
	@sh tests/bench.sh $<

examples: $(OUT)/reinstate
	@sh tests/run.sh examples $(OUT)/reinstate examples/*/

claims bad-input doctor https manual secrets sign-in runbook runbook-trials screen night engine sight places planted validate first: $(OUT)/reinstate
	@sh tests/$@.sh $<

# The objects show which file calls which.
lint: $(LIB_OBJ) $(MAIN_SRC:%.c=$(OUT)/%.o)
	@sh tests/lint.sh $(OUT)

quick: lint unit golden

# Everything that the tests run, built side by side; the tests themselves run one after the other.
JOBS ?= $(shell nproc)
programs: $(OUT)/reinstate $(UNIT_BIN) $(OUT)/tests/golden/golden $(OUT)/tests/scenario/scenario $(OUT)/tests/knobs/test_knobs $(OUT)/tests/property/property

# What runs side by side needs nothing that another of them makes: all programs are built before. The longest come first.
part = '$(1)$(2)=$(MAKE) --no-print-directory $(3) $(2)'
ASAN_SAMPLE ?= 3
ASAN_PARTS := scenario property unit knobs runbook examples bad-input https
PARTS      := lint golden scenario runbook-trials property knobs growth unit claims runbook secrets sign-in https screen night engine sight places planted manual validate first doctor bad-input examples
side-by-side:
	@$(MAKE) --no-print-directory -j$(JOBS) all programs
	@$(MAKE) --no-print-directory -j$(JOBS) VARIANT=asan programs
	@sh tests/beside.sh $(JOBS) $(foreach p,$(MORE_PARTS),$(call part,,$(p),)) \
	    $(foreach p,$(ASAN_PARTS),$(call part,asan ,$(p),VARIANT=asan STATES=500 STORY=lost-hsm-key SAMPLE=$(ASAN_SAMPLE) WITHOUT=$(ASAN_WITHOUT))) \
	    $(foreach p,$(PARTS),$(call part,,$(p),))

test: install-test-deps
	@$(MAKE) --no-print-directory side-by-side

check: install-check-deps
	@$(MAKE) --no-print-directory -j$(JOBS) CC=clang WERROR=1 build/clang-release-werror/reinstate
	@$(MAKE) --no-print-directory WERROR=1 MORE_PARTS=memcheck side-by-side

memcheck: $(UNIT_BIN)
	@sh tests/run.sh valgrind $(UNIT_BIN)

# Microsoft's own parts judge both sides of the wire: validator, clients, emulator, recordings.
CONFORMANCE := tests/conformance
CONFORMANCE_PARTS := oav azurite sdk azcli simulator recordings powershell
conformance: install-conformance-deps conformance-programs
	@sh tests/beside.sh $(JOBS) $(foreach p,$(CONFORMANCE_PARTS),$(call part,,conformance-$(p),))

conformance-programs:
	@$(MAKE) --no-print-directory -j$(JOBS) $(OUT)/reinstate $(OUT)/tests/scenario/scenario \
	    $(addprefix $(OUT)/$(CONFORMANCE)/,azurite claims_azurite replay simcheck)

# Check and conformance in one row of parts: no core waits while the last part of the one ends and the other has not begun. What
# another part does with the same checks is not done once more: the validator's part plays every scenario, and these run with
# sanitizers. The contract, tried at every request, is tried without them.
TWICE := scenario bad-input runbook https examples
everything: install-check-deps install-conformance-deps
	@$(MAKE) --no-print-directory -j$(JOBS) CC=clang WERROR=1 build/clang-release-werror/reinstate
	@$(MAKE) --no-print-directory WERROR=1 conformance-programs
	@$(MAKE) --no-print-directory WERROR=1 MORE_PARTS="$(addprefix conformance-,$(CONFORMANCE_PARTS)) memcheck" \
	    PARTS="$(filter-out $(TWICE),$(PARTS))" ASAN_SAMPLE=4 ASAN_WITHOUT=tests/contract/test_contract.c \
	    side-by-side

conformance-oav: $(OUT)/reinstate $(OUT)/tests/scenario/scenario
	@sh $(CONFORMANCE)/run-oav.sh $^
conformance-sdk: $(OUT)/reinstate
	@sh $(CONFORMANCE)/run-sdk.sh $<
conformance-azurite: $(OUT)/reinstate $(OUT)/$(CONFORMANCE)/azurite $(OUT)/$(CONFORMANCE)/claims_azurite
	@sh $(CONFORMANCE)/run-azurite.sh $^
conformance-azcli: $(OUT)/reinstate
	@sh $(CONFORMANCE)/run-azcli.sh $<
conformance-powershell:
	@sh $(CONFORMANCE)/run-powershell.sh
conformance-recordings: $(OUT)/$(CONFORMANCE)/replay
	@sh $(CONFORMANCE)/run-recordings.sh $<
$(OUT)/tests/conformance/simcheck: $(wildcard $(CONFORMANCE)/simcheck*.[ch]) $(OUT)/libreinstate.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS_$(VARIANT)) -o $@ $(filter %.c,$^) $(OUT)/libreinstate.a $(LDLIBS)
conformance-simulator: $(OUT)/$(CONFORMANCE)/simcheck
	@sh $(CONFORMANCE)/run-simcheck.sh $<

demo: install-deps
	@$(MAKE) --no-print-directory build/reinstate
	@sh tests/demo.sh build/reinstate

# --- what must be installed ----------------------------------------------------------------------------------------------

install-deps:
	@sh tests/install.sh $(PACKAGES)

install-test-deps:
	@sh tests/install.sh $(TEST_PACKAGES)

install-conformance-deps:
	@sh tests/install.sh $(PACKAGES)
	@command -v npm >/dev/null || sh tests/install.sh nodejs npm
	@# Once, and here alone where they are out of date: a part that did so would take them from under those beside it. A part that
	@# misses them says so.
	@cd $(CONFORMANCE) && { [ -f node_modules/.package-lock.json ] && [ ! package-lock.json -nt node_modules/.package-lock.json ] || \
	    npm ci --no-audit --no-fund --silent; } || \
	    { echo "conformance: the packages of package-lock.json cannot be installed"; [ -z "$$CI" ]; }

install-check-deps:
	@sh tests/install.sh $(CHECK_PACKAGES)

clean:
	rm -rf build

.PHONY: bench conformance conformance-programs everything install-conformance-deps $(CONFORMANCE_PARTS:%=conformance-%) all unit golden golden-update growth scenario knobs property examples lint manual quick test side-by-side check memcheck demo install-deps install-test-deps install-check-deps clean \
        claims bad-input doctor https secrets sign-in runbook runbook-trials screen night engine sight places planted validate first
.SECONDARY:
-include $(LIB_OBJ:.o=.d) $(MAIN_SRC:%.c=$(OUT)/%.d) $(UNIT_BIN:=.d) $(wildcard $(OUT)/tests/conformance/*.d $(OUT)/tests/property/*.d $(OUT)/tests/knobs/*.d $(OUT)/tests/scenario/*.d $(OUT)/tests/golden/*.d)
