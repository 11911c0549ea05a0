# SPDX-License-Identifier: BSD-2-Clause
# The kernel: source tree, configuration, image.

# What to leave out of the source is known for x86 only, dead code as well.
USUAL_PROFILE := $(if $(filter x86,$(ARCH)),release,whole)
PROFILE ?= $(USUAL_PROFILE)
# WITH=FILE is one more fragment, which may change what the profile sets.
WITH ?=
VARIANT := $(if $(WITH),-$(basename $(notdir $(WITH))))
KERNEL := $(B)/kernel$(if $(filter-out $(USUAL_PROFILE),$(PROFILE)),-$(PROFILE))$(VARIANT)
IMAGE := $(if $(filter x86,$(ARCH)),bzImage,Image)
BZIMAGE := $(KERNEL)/arch/$(ARCH)/boot/$(IMAGE)
# A profile with the line `cut` is built from a tree without what the cuts name.
CUT := $(if $(shell grep -sx cut kconfig/profiles/$(PROFILE)),-cut)
TREE := $(B)/kernel-tree$(CUT)

# What decides the source: the series, the whole new files and the tarball.
PATCHES := $(wildcard patches/series patches/*.patch patches/*.cut) \
	$(shell find patches/files -type f 2>/dev/null)
SOURCE_ID := $(B)/stamp/kernel-source-id$(CUT)

$(SOURCE_ID): FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(KERNEL_TARBALL)' $(sort $(PATCHES)) > $@.new
	@if [ -e $(TREE)/Makefile ] && cmp -s $@.new $@; then rm $@.new; \
		else mv $@.new $@; fi

# A symbolic link to the patched tree in the cache.
$(B)/stamp/tree$(CUT): $(SOURCE_ID) $(PATCHES) scripts/pithtools/kernel.py \
		| $(B)/stamp/packages-build
	@$(STEP) 'kernel source' $(B)/log/kernel-source.log \
		env KERNEL_TARBALL='$(KERNEL_TARBALL)' scripts/kernel-tree sync$(CUT)
	@ln -sfn "$$(tail -n 1 $(B)/log/kernel-source.log)" $(TREE)
	@touch $@

# Built in a folder right inside the tree, so that Kbuild calls every file by a
# relative path: the same commands wherever the tree lies, which is what makes
# ccache serve all checkouts and the image the same everywhere.
OBJECTS = $(TREE)/out-$(if $(filter-out x86,$(ARCH)),$(ARCH)-)$(PROFILE)$(VARIANT)
MAP = -fdebug-prefix-map=$$(readlink -f $(KERNEL))=.
FOR_ARCH = ARCH=$(ARCH) CROSS_COMPILE=$(CROSS_COMPILE)
KERNEL_VARS = $(FOR_ARCH) \
	CC="$$(command -v ccache > /dev/null && echo 'ccache ')$(CROSS_COMPILE)gcc" \
	KCFLAGS="$(MAP)" KAFLAGS="$(MAP)" KBUILD_BUILD_TIMESTAMP=1970-01-01 \
	KBUILD_BUILD_USER=pith KBUILD_BUILD_HOST=pith KBUILD_BUILD_VERSION=1
export CCACHE_DIR := $(PITH_CACHE)/ccache

$(KERNEL)/.configured: $(B)/stamp/tree$(CUT) kconfig/profiles/$(PROFILE) \
		$(wildcard kconfig/*.config) $(WITH) scripts/kernel-config
	@mkdir -p $(OBJECTS)
	@ln -sfn "$$(readlink -f $(OBJECTS))" $(KERNEL)
	@$(STEP) 'kernel configuration' $(B)/log/kernel-config.log \
		scripts/kernel-config '$(PROFILE)$(if $(WITH),+$(WITH))' "$$(readlink -f $(TREE))" $(KERNEL) \
		$(FOR_ARCH)
	@touch $@

$(BZIMAGE): $(KERNEL)/.configured
	@$(STEP) 'kernel ($(PROFILE)$(VARIANT))' $(B)/log/kernel-$(PROFILE)$(VARIANT).log \
		flock $(KERNEL)/.lock $(CLEAN_MAKE) -C "$$(readlink -f $(TREE))" \
		O="$$(readlink -f $(KERNEL))" $(KERNEL_VARS) -j$(JOBS) $(IMAGE)
	@touch $@

.PHONY: kernel
kernel: $(BZIMAGE) ## the kernel image; PROFILE= for another configuration, WITH= a fragment of one's own, ARCH=arm64

.PHONY: kernel-tree
kernel-tree: $(B)/stamp/tree$(CUT) ## only the patched kernel source, in the cache

# The kernel's interface for components. Headers that did not change keep their
# times, and the stamp of this name its own, so that nothing is compiled again.
UAPI := $(B)/uapi
$(B)/stamp/uapi-installed: $(B)/stamp/tree$(CUT)
	@$(STEP) 'kernel headers' $(B)/log/kernel-headers.log \
		$(CLEAN_MAKE) -C "$$(readlink -f $(TREE))" $(FOR_ARCH) \
		O=$(CURDIR)/$(B)/uapi.obj \
		INSTALL_HDR_PATH=$(CURDIR)/$(B)/uapi.new headers_install
	@rsync -rci --delete $(B)/uapi.new/ $(UAPI)/ > $(B)/log/uapi-changes.log
	@[ -e $(B)/stamp/uapi ] && ! grep -q . $(B)/log/uapi-changes.log || \
		touch $(B)/stamp/uapi
	@touch $@
$(B)/stamp/uapi: $(B)/stamp/uapi-installed
	@:
