#!/usr/bin/env bash
# Installs what the Verilog side needs, from Debian's packages and only what is missing:
#   install.sh simulators   Icarus, Verilator, yosys, GTKWave's vcd2fst (make rtl)
#   install.sh synthesis    yosys, Icarus, OpenSTA, and the standard cells of make synth
# Without an argument both. A file is printed on stdout for the cells, nothing else.
#
# The cells: Oklahoma State University's library for 180 nm, in the package qflow-tech-osu018. Installed whole, the
# package wants a layout flow of some 500 MB; we need one file of it. So it is downloaded (62 kB, checked by apt) and
# unpacked beside the project's other caches, unless the machine has it installed.
set -euo pipefail
cd "$(dirname "$0")/../.."

CELLS_PACKAGE=qflow-tech-osu018
CELLS_INSTALLED=/usr/share/qflow/tech/osu018/osu018_stdcells.lib
CELLS_CACHE=node_modules/.cache/kneadsim
CELLS_CACHED=$CELLS_CACHE/osu018_stdcells.lib

fail() {
  echo "install.sh: $1" >&2
  exit 1
}

privileged() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Package lists may be missing or old; they are fetched once, when they are needed.
updated=no
update() {
  [ "$updated" = no ] || return 0
  updated=yes
  privileged apt-get update -qq >&2
}

# install_missing COMMAND:PACKAGE ...
install_missing() {
  local packages=() pair
  for pair in "$@"; do
    command -v "${pair%%:*}" > /dev/null || packages+=("${pair##*:}")
  done
  [ ${#packages[@]} = 0 ] && return
  local all="${packages[*]}"
  command -v apt-get > /dev/null ||
    fail "found no apt-get; install $all by the means of this system, then run again"
  [ "$(id -u)" = 0 ] || command -v sudo > /dev/null ||
    fail "$all must be installed by root: apt-get install --no-install-recommends $all"
  echo "install.sh: installing $all" >&2
  update || fail "the package lists cannot be fetched; check the network"
  DEBIAN_FRONTEND=noninteractive privileged apt-get install -y -qq --no-install-recommends "${packages[@]}" >&2 ||
    fail "apt-get could not install $all; its own message is above"
}

cells() {
  if [ -f "$CELLS_INSTALLED" ]; then
    echo "$CELLS_INSTALLED"
    return
  fi
  if [ ! -f "$CELLS_CACHED" ]; then
    command -v apt-get > /dev/null && command -v dpkg-deb > /dev/null ||
      fail "found no apt-get and dpkg-deb to fetch $CELLS_PACKAGE; name a library of yours: make synth LIBERTY=/path/x.lib"
    echo "install.sh: fetching $CELLS_PACKAGE into $CELLS_CACHE" >&2
    local scratch
    scratch=$(mktemp -d)
    # Clear the scratch folder however this ends; it is named now, since the variable is local.
    # shellcheck disable=SC2064
    trap "rm -rf '$scratch'" EXIT
    # Root's apt downloads as a user that may not be able to write here, and warns; both are harmless.
    (cd "$scratch" && apt-get download -qq "$CELLS_PACKAGE") > /dev/null 2>&1 ||
      { update && (cd "$scratch" && apt-get download -qq "$CELLS_PACKAGE") >&2; } ||
      fail "$CELLS_PACKAGE cannot be downloaded; name a library of yours: make synth LIBERTY=/path/x.lib"
    dpkg-deb -x "$scratch"/"$CELLS_PACKAGE"_*.deb "$scratch/unpacked"
    mkdir -p "$CELLS_CACHE"
    cp "$scratch/unpacked$CELLS_INSTALLED" "$CELLS_CACHED.part"
    mv "$CELLS_CACHED.part" "$CELLS_CACHED"
  fi
  echo "$CELLS_CACHED"
}

what=${1:-all}
case $what in
  simulators | all)
    install_missing iverilog:iverilog verilator:verilator yosys:yosys vcd2fst:gtkwave
    # Verilator's own build step; as root on a fresh machine there may be no compiler.
    install_missing g++:g++ make:make
    ;;&
  synthesis | all)
    install_missing yosys:yosys iverilog:iverilog sta:opensta
    # The user's own library needs no other.
    [ -n "${LIBERTY:-}" ] || cells
    ;;&
  simulators | synthesis | all) ;;
  *) fail "unknown part '$what'; known: simulators, synthesis" ;;
esac
