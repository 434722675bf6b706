#!/bin/sh
# How a shell script tells the agent how a model does: observe.sh STATE_DIR MODEL MS [NAME V1,V2,…]
# Needs nc of OpenBSD, or socat.
set -eu
state_dir=$1 model=$2 ms=$3
outputs=
[ $# -ge 5 ] && outputs=",\"outputs\":{\"$4\":[$5]}"
line="observe {\"model\":\"$model\",\"latencyMs\":$ms$outputs}"
if command -v nc > /dev/null; then
  echo "$line" | nc -N -U "$state_dir/health.sock"
else
  echo "$line" | socat -t 1 - "UNIX-CONNECT:$state_dir/health.sock"
fi
