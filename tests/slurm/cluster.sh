#!/usr/bin/env bash
# A Slurm cluster of this one machine, for tests: everything it writes is in FOLDER.
#   cluster.sh install        Debian's packages, where apt can get them
#   cluster.sh start FOLDER   then: export SLURM_CONF=FOLDER/slurm.conf PATH=FOLDER/bin:$PATH
#   cluster.sh stop FOLDER
# Exit codes: 0 done, 77 it cannot be done on this machine, 1 it went wrong.
set -euo pipefail

PROGRAMS="munged slurmctld slurmd sbatch"
PACKAGES="munge slurmctld slurmd slurm-client"

cannot() { echo "no Slurm here: $1" >&2; exit 77; }
failed() { echo "Slurm did not start: $1" >&2; tail -n 20 "$folder"/*.log >&2 || true; stop; exit 1; }

install() {
    missing || return 0
    [ "$(id -u)" = 0 ] || cannot "installing $PACKAGES needs root"
    command -v apt-get >/dev/null || cannot "installing $PACKAGES needs apt-get"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086  # words
    { apt-get update -q && apt-get install -qy --no-install-recommends $PACKAGES; } >&2 ||
        cannot "apt-get could not install $PACKAGES"
}

missing() { for program in $PROGRAMS; do command -v "$program" >/dev/null || return 0; done; return 1; }

configure() {
    local host cpus memory ports
    host=$(hostname -s) cpus=$(nproc)
    memory=$(($(awk '/^MemTotal/ {print $2}' /proc/meminfo) / 2048))
    ports=($(python3 -c 'import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(each.getsockname()[1] for each in sockets))'))
    cat >"$folder/slurm.conf" <<EOF
ClusterName=tests
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=${ports[0]}
SlurmdPort=${ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CryptoType=crypto/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SchedulerParameters=batch_sched_delay=1,sched_interval=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=20
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$memory State=UNKNOWN
PartitionName=low Nodes=$host Default=YES PriorityTier=1 State=UP
PartitionName=high Nodes=$host PriorityTier=2 State=UP
EOF
}

# Without accounting there is no sacct; submitit asks it how jobs are, and squeue knows.
stand_in() {
    mkdir "$folder/bin"
    cat >"$folder/bin/sacct" <<'EOF'
#!/usr/bin/env bash
echo "JobID|State|NodeList"
squeue --all --states=all --noheader --format="%i|%T|%N"
EOF
    chmod +x "$folder/bin/sacct"
}

start() {
    missing && cannot "apt-get install $PACKAGES first (or: cluster.sh install)"
    [ "$(id -u)" = 0 ] || cannot "slurmd needs root"
    [ -z "$(ls -A "$folder" 2>/dev/null)" ] || { echo "$folder is not empty" >&2; exit 1; }
    mkdir -p "$folder"/{munge,state,spool}
    configure
    stand_in
    (umask 077 && head -c 128 /dev/urandom >"$folder/munge/key")
    munged --force --socket="$folder/munge/socket" --key-file="$folder/munge/key" --pid-file="$folder/munged.pid" \
        --log-file="$folder/munge/munged.log" --seed-file="$folder/munge/seed" 2>"$folder/munged.log" || failed "munged"
    export SLURM_CONF=$folder/slurm.conf
    slurmctld || failed "slurmctld"
    slurmd || failed "slurmd"
    for _ in $(seq 60); do
        [ "$(sinfo --noheader --partition=low --format=%T 2>/dev/null)" = idle ] && return 0
        sleep 1
    done
    failed "the node is not idle after 60 s"
}

stop() {
    export SLURM_CONF=$folder/slurm.conf
    timeout 10 scancel --user=root 2>/dev/null || true
    for _ in $(seq 30); do
        [ -n "$(timeout 5 squeue --noheader 2>/dev/null)" ] || break
        sleep 1
    done
    for daemon in slurmctld slurmd munged; do
        [ -f "$folder/$daemon.pid" ] && kill "$(cat "$folder/$daemon.pid")" 2>/dev/null || true
    done
}

[ "${1:-}" = install ] || [ $# = 2 ] || { grep '^#  ' "$0" >&2; exit 1; }
folder=${2:+$(realpath -m "$2")}
case $1 in install | start | stop) "$1" ;; *) grep '^#  ' "$0" >&2; exit 1 ;; esac
