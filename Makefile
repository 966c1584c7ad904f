# make            build/reinstate
# make quick      unit and golden tests (seconds)
# make test       everything a developer runs before pushing
# make check      both compilers with -Werror, sanitizers, valgrind, lint
# VARIANT=release|asan, CC=gcc|clang: each has an object directory of its own.

CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
VARIANT ?= release
OUT     := build/$(CC)-$(VARIANT)

PKGS    := yaml-0.1 json-c libcurl libcrypto libpcre2-8 libmicrohttpd
CFLAGS_COMMON := -std=gnu17 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wformat=2 \
                 -Wundef -Wvla -Wframe-larger-than=16384 -D_GNU_SOURCE -g $(shell pkg-config --cflags $(PKGS)) $(if $(WERROR),-Werror)
CFLAGS_release := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong
CFLAGS_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS_asan   := -fsanitize=address,undefined
LDLIBS  := $(shell pkg-config --libs $(PKGS)) -lpthread -lm
ALL_CFLAGS := $(CFLAGS_COMMON) $(CFLAGS_$(VARIANT)) $(CFLAGS)

LIB_SRC  := $(wildcard reconciler/*/*.c providers/*/*.c)
CMD_SRC  := $(filter-out cmd/main.c,$(wildcard cmd/*.c))
UNIT_SRC := $(wildcard tests/unit/test_*.c)
LIB_OBJ  := $(LIB_SRC:%.c=$(OUT)/%.o) $(CMD_SRC:%.c=$(OUT)/%.o) $(OUT)/schema_files.o
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(OUT)/unit/%)

all: build/reinstate

build/reinstate: $(OUT)/reinstate
	@mkdir -p build && ln -sf $(OUT:build/%=%)/reinstate $@

$(OUT)/reinstate: $(OUT)/cmd/main.o $(OUT)/libreinstate.a
	$(CC) $(LDFLAGS_$(VARIANT)) -o $@ $^ $(LDLIBS)

$(OUT)/libreinstate.a: $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The schemas are embedded: one table of names and bytes.
$(OUT)/schema_files.c: $(wildcard schemas/*.json) tests/embed.sh
	@mkdir -p $(@D)
	sh tests/embed.sh schemas/*.json > $@
$(OUT)/schema_files.o: $(OUT)/schema_files.c
	$(CC) $(ALL_CFLAGS) -Ireconciler/format -c -o $@ $<

$(OUT)/unit/%: tests/unit/%.c tests/harness.h $(OUT)/libreinstate.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Itests $(LDFLAGS_$(VARIANT)) -o $@ $< $(OUT)/libreinstate.a $(LDLIBS)

unit: $(UNIT_BIN)
	@for t in $^; do $$t || exit 1; done

clean:
	rm -rf build

.PHONY: all unit clean
-include $(LIB_OBJ:.o=.d)
