#!/usr/bin/env bash
# The same grid on the local pool, GNU parallel, Snakemake and Slurm: all files must have the same bytes. Then twenty kills.
# Installs the engines from Debian's packages, so it runs as root; a Slurm of one node lives in a temporary folder.
#   KNEADSIM  the words that run kneadsim (default: the build)
#   KILLS     how often to kill a sweep (default: 20);  SEED  of their moments (default: the time)
set -u
cd "$(dirname "$0")/../.."
read -r -a kneadsim <<<"${KNEADSIM:-node dist/cli/main.js}"
trace=traces/lenet5-fmnist-late-s01500.safetensors
grid=(--machine tetris,dadiannao --set kneadingStride=8,16,32,64 --set sync=barrier,skew --set windowSlots=1,2,4)
work=$(mktemp -d)
# Words that shells, Snakemake and Slurm could stumble over.
folder="$work/it's a {sweep}, 100%"
mkdir "$folder"
status=0
pids=()

finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
  wait 2>/dev/null
  rm -rf "$work"
}
trap finish EXIT

fail() {
  echo "engines: $*" >&2
  status=1
}

tools=(snakemake parallel munged slurmctld slurmd sbatch)
if [ "$(command -v "${tools[@]}" | wc -l)" != ${#tools[@]} ]; then
  if [ "$(id -u)" != 0 ]; then
    echo 'engines: Slurm, Snakemake and GNU parallel are not there; run it as root, or apt-get install slurm-wlm munge snakemake parallel' >&2
    exit 1
  fi
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    slurm-wlm munge snakemake parallel >"$work/apt.log" 2>&1 || { cat "$work/apt.log" >&2; exit 1; }
fi

# Compares a finished folder with that of the local pool, results and points.
compare() {
  local name=$1 dir=$2 took=$3 file files=0
  for file in sweep.json sweep.csv sweep.parquet points; do
    diff -rq "$folder/pool/$file" "$dir/$file" >>"$work/differences" 2>&1 || { fail "$name: $file differs from the local pool's"; return; }
  done
  files=$(find "$dir/points" -type f | wc -l)
  echo "$name: same bytes, $files points, sweep.csv, sweep.parquet; $took s"
}

since() { echo $(($(date +%s) - $1)); }

began=$(date +%s)
"${kneadsim[@]}" sweep "$trace" "${grid[@]}" --out "$folder/pool" >"$work/pool.log" 2>&1 || { cat "$work/pool.log" >&2; exit 1; }
echo "local pool: $(cat "$folder/pool/sweep.csv" | wc -l) lines of CSV; $(since "$began") s"

began=$(date +%s)
"${kneadsim[@]}" sweep "$trace" "${grid[@]}" --workers 1 --out "$folder/one" >"$work/one.log" 2>&1 || fail "$(cat "$work/one.log")"
compare 'one worker' "$folder/one" "$(since "$began")"

# Writes the job of an engine and runs the line that the program says.
run_engine() {
  local engine=$1 dir="$folder/$1" line began
  began=$(date +%s)
  "${kneadsim[@]}" sweep "$trace" "${grid[@]}" --engine "$engine" --out "$dir" >"$work/$engine.job" || { fail "$engine: no job"; return; }
  line=$(sed -n 's/^run it: //p' "$work/$engine.job")
  if ! (cd "$work" && sh -c "$line") >"$work/$engine.log" 2>&1; then
    fail "$engine: the job failed"
    tail -n 30 "$work/$engine.log" "$dir"/logs/* >&2
    return
  fi
  compare "$2" "$dir" "$(since "$began")"
}

run_engine parallel "$(parallel --version | head -n 1)"
run_engine snakemake "Snakemake $(snakemake --version)"

free_port() {
  node -e "const s = require('node:net').createServer().listen(0, () => { console.log(s.address().port); s.close(); })"
}

# Slurm without systemd, as root, on ports of its own.
start_slurm() {
  local host slurm="$work/slurm"
  host=$(hostname -s)
  mkdir -p "$slurm/state" "$slurm/spool"
  chmod 755 "$work" "$slurm"
  dd if=/dev/urandom of="$slurm/munge.key" bs=1024 count=1 status=none
  chmod 600 "$slurm/munge.key"
  munged --foreground --force --key-file="$slurm/munge.key" --socket="$slurm/munge.socket" --pid-file="$slurm/munged.pid" \
    --log-file="$slurm/munged.log" --seed-file="$slurm/munge.seed" >"$slurm/munged.out" 2>&1 &
  pids+=($!)
  cat >"$slurm/slurm.conf" <<EOF
ClusterName=kneadsim
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
AuthType=auth/munge
AuthInfo=socket=$slurm/munge.socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=2,bf_interval=2
ReturnToService=2
MpiDefault=none
MailProg=/bin/true
StateSaveLocation=$slurm/state
SlurmdSpoolDir=$slurm/spool
SlurmctldPidFile=$slurm/slurmctld.pid
SlurmdPidFile=$slurm/slurmd.pid
SlurmctldLogFile=$slurm/slurmctld.log
SlurmdLogFile=$slurm/slurmd.log
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
EOF
  printf 'CgroupAutomount=no\nIgnoreSystemd=yes\n' >"$slurm/cgroup.conf"
  export SLURM_CONF="$slurm/slurm.conf"
  for _ in $(seq 50); do [ -S "$slurm/munge.socket" ] && break; sleep 0.1; done
  slurmctld -D -i >"$slurm/slurmctld.out" 2>&1 &
  pids+=($!)
  slurmd -D >"$slurm/slurmd.out" 2>&1 &
  pids+=($!)
  for _ in $(seq 60); do
    [ "$(sinfo --noheader --format=%t 2>/dev/null)" = idle ] && return 0
    sleep 0.5
  done
  tail -n 5 "$slurm"/*.log "$slurm"/*.out >&2
  return 1
}

if start_slurm; then
  run_engine slurm "$(sinfo --version)"
else
  fail 'Slurm did not start'
fi

KNEADSIM="${kneadsim[*]}" test/engines/kills.sh "$trace" "$folder/pool" "$work/kills" "${grid[@]}" || status=1
exit $status
