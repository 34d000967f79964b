#!/usr/bin/env bash
# Kills a sweep with SIGKILL at random moments, again and again, then lets it finish: its files must be those of a sweep
# that nobody killed, and no temporary file may be left.
#   kills.sh TRACE FOLDER-OF-THE-UNINTERRUPTED-SWEEP WORK-FOLDER AXES...
set -u
read -r -a kneadsim <<<"${KNEADSIM:-node dist/cli/main.js}"
trace=$1 good=$2 work=$3
shift 3
mkdir -p "$work"
kills=${KILLS:-20}
seed=${SEED:-$(date +%s)}
RANDOM=$seed

began=$(date +%s%N)
"${kneadsim[@]}" sweep "$trace" "$@" --out "$work/timed" >/dev/null || exit 1
whole=$((($(date +%s%N) - began) / 1000000))

early=0 torn=0
# A kill that comes too late does not count.
for ((i = 1; early < kills && i <= 3 * kills; i++)); do
  out="$work/killed-$i"
  delay=$(((RANDOM * 32768 + RANDOM) % whole))
  setsid "${kneadsim[@]}" sweep "$trace" "$@" --out "$out" >/dev/null 2>&1 &
  pid=$!
  sleep "$((delay / 1000)).$(printf %03d $((delay % 1000)))"
  # Every other time the workers live on, finish the points in hand, and meet the sweep that goes on.
  if ((i % 2)); then kill -9 -- "-$pid"; else kill -9 "$pid"; fi 2>/dev/null && early=$((early + 1))
  wait "$pid" 2>/dev/null
  there=$(find "$out/points" -name '??????.json' 2>/dev/null | wc -l)
  torn=$((torn + $(find "$out" -name '.kneadsim-*' 2>/dev/null | wc -l)))
  printf '  kill %2d after %5d ms, %2d points there\n' "$i" "$delay" "$there"
  if ! "${kneadsim[@]}" sweep "$trace" "$@" --out "$out" >"$work/log" 2>&1; then
    echo "engines: kill $i (SEED=$seed): the sweep did not go on: $(cat "$work/log")" >&2
    exit 1
  fi
  sleep 0.3
  if ! diff -r "$good" "$out" >"$work/differences"; then
    echo "engines: kill $i (SEED=$seed) after $delay ms: $(head -n 3 "$work/differences")" >&2
    exit 1
  fi
  rm -rf "$out"
done
[ "$early" = "$kills" ] || { echo "engines: only $early of $kills kills came in time" >&2; exit 1; }
echo "kills: $early in the midst of a sweep of $whole ms, $torn temporary files left by them; all resumed to the same bytes"
