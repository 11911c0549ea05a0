# SPDX-License-Identifier: BSD-2-Clause
#
# `make help` says what there is. One rule per thing, everything made is under
# build/ or in the cache ($PITH_CACHE), and a changed flag, pin, fragment or
# patch remakes what depends on it and nothing else.

.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := all

# For which machine: x86 or arm64, as the kernel's make calls them. What is made
# for another than x86 has a folder of its own.
ARCH ?= x86
ifeq ($(filter x86 arm64,$(ARCH)),)
$(error ARCH is x86 or arm64, not $(ARCH))
endif
ifeq ($(ARCH),arm64)
NOT_YET := $(filter-out all kernel kernel-tree components ktest help \
	clean,$(MAKECMDGOALS))
$(if $(NOT_YET),$(error not for arm64: $(NOT_YET)))
endif
CROSS_COMPILE := $(if $(filter arm64,$(ARCH)),aarch64-linux-gnu-)
B := build$(if $(filter-out x86,$(ARCH)),/$(ARCH))
PITH_CACHE ?= $(HOME)/.cache/pith
export PITH_CACHE
JOBS ?= $(shell nproc)
SCENARIO ?= first_light
STEP := scripts/step
# A step runs a make of its own; it must not look for the job server of this one.
# KCSAN looks only where a Makefile says so (kernel/pith): Linux has races of its own.
CLEAN_MAKE := env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL KCSAN_SANITIZE=n make

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

include scripts/make/kernel.mk
include scripts/make/components.mk

# --- what people ask for --------------------------------------------------------

.PHONY: all
all: kernel components	## kernel and components (the default)

.PHONY: run
run: $(B)/stamp/packages-run all demo-disk ## boot in QEMU: DISK= RUN= ... (scripts/run -h)
	@scripts/run

.PHONY: demo-disk
demo-disk: $(B)/demo.img ## the disk that `make run` boots with
$(B)/demo.img: scripts/demo-disk | $(B)/stamp/packages-run
	@$(STEP) 'demo disk' $(B)/log/demo-disk.log scripts/demo-disk $@

# The log goes to the second serial port, unless CMDLINE= says something else.
.PHONY: image
image: $(B)/stamp/packages-image all ## build/pith.img, a disk that PCs boot by UEFI: SCENARIO= CMDLINE=
	@$(STEP) 'boot archive' $(B)/log/image-pack.log scripts/pack \
		--config initramfs/scenarios/$(SCENARIO).hid \
		--out $(B)/image/initramfs.cpio
	@$(STEP) 'disk image' $(B)/log/image.log scripts/image \
		--kernel $(BZIMAGE) --initrd $(B)/image/initramfs.cpio \
		--efi $(B)/pith.efi --out $(B)/pith.img \
		$(if $(CMDLINE),--cmdline '$(CMDLINE)')
	@echo '  $(B)/pith.img: see docs/image.md'

.PHONY: test
test: $(B)/stamp/packages-test all ## all tests; ONLY=pattern for some
	@! scripts/test-all --list --only '$(ONLY)' | grep -q ^ktest/checked || \
		$(MAKE) kernel PROFILE=debug
	@! scripts/test-all --list --only '$(ONLY)' | grep -q '^ktest/.*arm64' || \
		$(MAKE) kernel ktest ARCH=arm64
	@scripts/test-all $(if $(ONLY),--only '$(ONLY)')

.PHONY: fuzz
fuzz: $(B)/stamp/packages-test third-party ## fuzz targets and kernel, SECONDS= each (300)
	@scripts/test-all --only fuzz --fuzz-seconds $(or $(SECONDS),300)
	@$(MAKE) fuzz-kernel

# Another seed each time; it is in the log, and `SEED=` begins with it again.
.PHONY: fuzz-kernel
fuzz-kernel: $(B)/stamp/packages-test attack ## the kernel's system calls for SECONDS= (300), SEED=; guided by coverage
	@$(MAKE) kernel PROFILE=coverage
	@scripts/coverage $(B)/kernel-coverage $(or $(SECONDS),300) \
		$(or $(SEED),$$(date +%s))

# Kernels that check themselves; each takes minutes to build, and is slow.
DEBUG_PROFILES := debug debug-races
.PHONY: test-debug
test-debug: $(DEBUG_PROFILES:%=test-%-kernel) ## kernel tests and attacks under KASAN, lockdep, KCSAN ...
test-%-kernel: $(B)/stamp/packages-test ktest attack FORCE
	@$(MAKE) kernel PROFILE=$*
	@scripts/test-all --debug $(if $(ONLY),--only '$(ONLY)') \
		--kernel-tests 'checked=1 $(if $(filter debug,$*),leaks=1 nomem=1)' --kernel $(B)/kernel-$*/arch/x86/boot/bzImage

.PHONY: coverage
coverage: $(B)/stamp/packages-test ktest attack ## branches of kernel/pith that tests and fuzzer take
	@$(MAKE) kernel PROFILE=coverage
	@scripts/coverage $(B)/kernel-coverage $(or $(SECONDS),60)

# A boot of the demo system, for what only a boot can tell.
$(B)/boot/log.txt: $(BZIMAGE) $(BINARIES) | components demo-disk
	@$(STEP) 'boot for figures' $(B)/log/boot.log \
		env RUN=uptime RUN_DIR=$(B)/boot scripts/run

LOC_INPUT := scripts/loc $(wildcard scripts/pithtools/measure_*.py \
	scripts/baseline/*.json)
$(B)/report/loc.json: $(BZIMAGE) $(BINARIES) $(B)/boot/log.txt $(LOC_INPUT) \
		| $(B)/stamp/packages-measure
	@$(STEP) 'counting lines' $(B)/log/loc.log scripts/loc --all \
		--kernel $(KERNEL) --build $(B) --cache '$(PITH_CACHE)' \
		--boot-log $(B)/boot/log.txt

.PHONY: loc
loc: $(B)/report/loc.json ## count lines of kernel and components
	@cat $(B)/log/loc.log

# Some forty kernels; an hour or two.
.PHONY: ladder
ladder: $(B)/stamp/packages-measure kernel series-boots ## how the kernel got small, rung by rung, tested; UPDATE=1; build/report/ladder.*
	@scripts/ladder $(if $(UPDATE),--update-docs)

.PHONY: tcb
tcb: $(B)/report/loc.json $(HID2JSON) ## what APP= has to trust, and why
	@scripts/tcb --config initramfs/scenarios/$(SCENARIO).hid \
		$(or $(APP),$(error name a component: make tcb APP=shell))

.PHONY: bench
bench: $(B)/stamp/packages-run all ## costs beside those of Linux; build/report/bench.json
	@$(MAKE) --no-print-directory kernel PROFILE=bench
	@$(MAKE) --no-print-directory kernel PROFILE=bench-none
	@scripts/bench $(if $(UPDATE),--update-docs --save-baseline)

.PHONY: latency
latency: $(B)/stamp/packages-run all ## how late the most urgent thread wakes up, and why; build/report/latency.json
	@$(MAKE) --no-print-directory kernel PROFILE=bench-none
	@scripts/latency

.PHONY: flame
flame: $(B)/stamp/packages-run all ## where the instructions of a call and reply go
	@scripts/flame

.PHONY: patches-check
patches-check: $(B)/stamp/packages-build ## the patch series is in order
	@scripts/kernel-tree check

.PHONY: series-boots
series-boots: $(B)/stamp/packages-test ktest ## build and boot the kernel at every place of the series: FROM= TO=
	@scripts/series-boots $(if $(FROM),--from $(FROM)) $(if $(TO),--to $(TO))

# A kernel per option; two hours for all.
.PHONY: costs
costs: $(B)/stamp/packages-measure all ktest ## what each hardening option costs; SYMBOL= UPDATE=1
	@scripts/costs $(if $(UPDATE),--update-docs) $(SYMBOL)

# The lists are made from the image of the whole source; then the compiler says
# which names others had hidden.
.PHONY: cuts
cuts: ## write anew what the release is built without (patches/*.cut)
	@$(MAKE) kernel PROFILE=uncut
	@scripts/dead-code $(B)/kernel-uncut --update
	@$(MAKE) kernel
	@while scripts/dead-code --unused $(B)/log/kernel-release.log | grep .; \
		do $(MAKE) kernel || exit; done

.PHONY: why
why: kernel $(if $(TESTS),$(B)/stamp/packages-test $(TESTS:kernel=ktest)) ## why FILE=mm/x.c or SYM=function is in the kernel's image; TESTS=kernel: who runs it
	@scripts/why $(KERNEL) $(if $(SYM),SYM=$(SYM),FILE=$(FILE)) $(TESTS:%=TESTS=%)

.PHONY: doctor
doctor: ## missing packages, KVM, disk space
	@scripts/doctor

.PHONY: clean
clean: ## remove build/, not the cache
	rm -rf $(B)

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## *\(.*\)/\1\t\2/p' Makefile \
		$(filter-out Makefile,$(wildcard scripts/make/*.mk)) | \
		while IFS='	' read -r name text; do \
			printf '  make %-14s %s\n' "$$name" "$$text"; done
	@echo 'KERNEL_TARBALL=FILE: another 6.12.y source. V=1: show commands.'
	@echo 'ARCH=arm64: kernel, kernel-tree, ktest and all, which are those, for arm64.'

# --- what the machine needs -------------------------------------------------------

# Groups of scripts/packages for each purpose: asked for at once.
GROUPS_build := build $(filter arm64,$(ARCH))
GROUPS_run := build run
GROUPS_image := build image
GROUPS_measure := build run measure
GROUPS_test := build run image measure test arm64
$(B)/stamp/packages-%: scripts/packages
	@scripts/packages install $(GROUPS_$*)
	@mkdir -p $(@D) && touch $@

.PHONY: FORCE
FORCE:
