# SPDX-License-Identifier: BSD-2-Clause
# Third-party libraries, the component library and every component.
#
# A folder with a component.mk is a component; that file sets
#	NAME	name of the program and of its ROM module (default: the folder's)
#	SRCS	C files, relative to the folder
#	LIBS	third-party archives: ext2fs, com_err, sodium
#	INCS	third-party libraries whose headers it needs: e2fsprogs, ...
#	FLAGS	more compiler flags
#	LINK	more linker flags
#	KIND	core: the first process; test: not part of the system
#	ARCHES	for which machines it is: x86 (default), arm64; not built for others
#	RUST	1: a crate of Cargo.toml's workspace by the component's name, a
#		static library; without cargo, the component is not built

# --- third party -----------------------------------------------------------------

THIRD_PARTY := $(patsubst third-party/%/pin,%,$(wildcard third-party/*/pin))
TP := $(B)/third-party

# Remade as well if the cache it points into was deleted.
define third_party
$(TP)/$(1).ok: third-party/$(1)/pin third-party/$(1)/build scripts/cc-record \
		scripts/third-party $(if $(wildcard $(TP)/$(1)/complete),,FORCE) \
		| $(B)/stamp/packages-build
	@$(STEP) 'third-party $(1)' $(B)/log/third-party-$(1).log \
		env ARCH=$(ARCH) scripts/third-party build $(1)
	@mkdir -p $$(@D)
	@ln -sfn "$$$$(tail -n 1 $(B)/log/third-party-$(1).log)" $(TP)/$(1)
	@touch $$@
endef
$(foreach lib,$(THIRD_PARTY),$(eval $(call third_party,$(lib))))

# Which library has an archive: the pins say so.
provider = $(patsubst third-party/%/pin,%,$(firstword \
	$(shell grep -lw '^archives:.*$(1)' third-party/*/pin)))

.PHONY: third-party
third-party: $(THIRD_PARTY:%=$(TP)/%.ok) ## only the third-party libraries

# --- flags -----------------------------------------------------------------------

CC := $(CROSS_COMPILE)gcc
HOSTCC := gcc
WARNINGS := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes \
	-Wshadow -Wundef -Wvla
CFLAGS := -std=gnu11 -O2 -g -fno-strict-aliasing -fno-common -fno-pie \
	-fstack-protector-strong -ftrivial-auto-var-init=zero \
	-ffunction-sections -fdata-sections $(WARNINGS)
# gcc's own functions for atomic operations ask the C library's start-up code
# what the processor can do.
CFLAGS += $(if $(filter arm64,$(ARCH)),-mno-outline-atomics)
MUSL := -specs $(TP)/musl/lib/musl-gcc.specs
CPPFLAGS := -Igenode-core-shim/include -isystem $(UAPI)/include
LDFLAGS := -static -no-pie -Wl,--gc-sections -Wl,-z,noexecstack \
	-Wl,-z,separate-code -Wl,--build-id=none -Wl,--fatal-warnings

$(B)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(MUSL) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)' \
		"$$($(CC) -dumpfullversion 2>/dev/null)" > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

# compile,source,object,more flags: the command is kept for `make loc`.
define compile
	$(call say,CC,$(1))
	@mkdir -p $(dir $(2))
	@echo '$(call compiler,$(1),$(2),$(3))' > $(2).cmd
	$(Q)$(call compiler,$(1),$(2),$(3))
endef
compiler = $(CC) $(MUSL) $(CPPFLAGS) $(CFLAGS) $(3) -MMD -MP -c -o $(2) $(1)

COMPILE_NEEDS := $(B)/flags $(B)/stamp/uapi $(TP)/musl.ok
path = $(patsubst $(CURDIR)/%,%,$(abspath $(1)))

# --- component library -------------------------------------------------------------

SRCS :=
-include genode-core-shim/lib/library.mk
LIB_SRCS := $(call path,$(addprefix genode-core-shim/lib/,$(SRCS)))
LIB_OBJS := $(LIB_SRCS:%.c=$(B)/lib/obj/%.o)
LIBPITH := $(B)/lib/libpith.a

$(LIB_OBJS): $(B)/lib/obj/%.o: %.c genode-core-shim/lib/library.mk $(COMPILE_NEEDS)
	$(call compile,$<,$@,)

$(LIBPITH): $(LIB_OBJS)
	$(call say,AR,$@)
	@rm -f $@
	$(Q)$(CROSS_COMPILE)ar rcsD $@ $(LIB_OBJS)

# --- host tool ----------------------------------------------------------------------

HID2JSON := $(B)/host/hid2json
HOST_HID := genode-core-shim/host/hid2json.c genode-core-shim/lib/hid.c

$(HID2JSON): $(HOST_HID) genode-core-shim/include/pith/hid.h \
		| $(B)/stamp/packages-build
	$(call say,HOSTCC,$@)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -std=gnu11 -O1 -g -Wall -Wextra -Igenode-core-shim/include \
		-o $@ $(HOST_HID)

# --- Rust ----------------------------------------------------------------------------

# Cargo knows itself what is out of date, and leaves the rest untouched.
CARGO := $(shell command -v cargo)
RUSTLIBS := $(B)/rust/release
RUSTFLAGS := -C relocation-model=static --remap-path-prefix=$(CURDIR)/=

$(RUSTLIBS)/lib%.a: FORCE
	$(Q)RUSTFLAGS='$(RUSTFLAGS)' $(CARGO) build --quiet --offline --locked \
		--release --package $* --target-dir $(B)/rust

# --- components ----------------------------------------------------------------------

COMPONENT_MKS := $(wildcard genode-core-shim/*/component.mk \
	udrivers/*/component.mk servers/*/component.mk apps/*/component.mk \
	ktest/*/component.mk)
COMPONENTS :=

# rules,folder,name: the rules of one component from the variables it set
define rules
$(if $(filter $(2),$(COMPONENTS)),$(error two components are named $(2)))
COMPONENTS += $(2)
$(2)_DIR := $(B)/components/$(2)
$(2)_SRCS := $(call path,$(addprefix $(1)/,$(SRCS)))
$(2)_OBJS := $$($(2)_SRCS:%.c=$$($(2)_DIR)/obj/%.o)
$(2)_RUST := $(if $(RUST),$(RUSTLIBS)/lib$(2).a)
$(2)_TP := $(sort $(INCS) $(foreach lib,$(LIBS),$(call provider,$(lib))))

$$($(2)_OBJS): $$($(2)_DIR)/obj/%.o: %.c $(1)/component.mk $(COMPILE_NEEDS) \
		$$($(2)_TP:%=$(TP)/%.ok)
	$$(call compile,$$<,$$@,$$($(2)_TP:%=-isystem $(TP)/%/include) $(FLAGS))

$$($(2)_DIR)/$(2): $$($(2)_OBJS) $$($(2)_RUST) $(LIBPITH)
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$(Q)$(CC) $(MUSL) $(LDFLAGS) $(LINK) -Wl,-Map=$$@.map -o $$@ \
		$$($(2)_OBJS) \
		$$($(2)_TP:%=-L$(TP)/%/lib) -Wl,--start-group $$($(2)_RUST) $(LIBPITH) \
		$(LIBS:%=-l%) -Wl,--end-group $(LINK)

$$($(2)_DIR)/$(2).stripped: $$($(2)_DIR)/$(2)
	$(Q)$(CROSS_COMPILE)strip --strip-all -o $$@ $$<

$$($(2)_DIR)/manifest.hid: $(1)/manifest.hid
	@mkdir -p $$(@D)
	$(Q)cp $$< $$@

$(2): $$($(2)_DIR)/$(2).stripped $(if $(KIND),,$$($(2)_DIR)/manifest.hid)
.PHONY: $(2)
endef

define component
SRCS :=
LIBS :=
INCS :=
FLAGS :=
LINK :=
KIND :=
RUST :=
ARCHES := x86
NAME := $(notdir $(1))
include $(1)/component.mk
$$(if $$(or $$(and $$(RUST),$$(if $(CARGO),,no)),$$(if $$(filter $(ARCH),$$(ARCHES)),,no)),, \
	$$(eval $$(call rules,$(1),$$(NAME))))
endef
$(foreach mk,$(COMPONENT_MKS),$(eval $(call component,$(mk:%/component.mk=%))))
BINARIES := $(foreach name,$(COMPONENTS),$(B)/components/$(name)/$(name))

.PHONY: components
components: $(COMPONENTS) $(HID2JSON) ## all components

-include $(shell find $(B)/components $(B)/lib -name '*.d' 2>/dev/null)
