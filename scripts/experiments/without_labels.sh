#!/usr/bin/env bash
# Imagery without its labels, other places than Dubai: what a generator may learn grounds from that is to know no class.
#
#   ./dev run scripts/experiments/without_labels.sh DATA OUT
#
# DATA holds the folders that examples/recipes/ read, those whose licence lets weights be passed on. What is there already
# stays.
set -euo pipefail
data=$1
out=$2
terragen=${TERRAGEN:-build/release/bin/terragen}
mkdir -p "$out/recipes"
for pair in oam_buildings:oam_buildings kit_vehicles:kit_vehicles naip_trees_rgb:naip_trees \
  sen2_ships_rgb:sen2_ships; do
  name=${pair%:*}
  [ -e "$out/$name/dataset.json" ] && continue
  # The recipe without its classes and labels.
  awk '/^\[/ { dropped = ($0 == "[[classes]]" || $0 == "[labels]") }
       /^task = / { $0 = "task = \"ground\"" }
       !dropped' "examples/recipes/$name.toml" >"$out/recipes/$name.toml"
  "$terragen" import "$out/recipes/$name.toml" --root "$data/${pair#*:}" -o "$out/$name"
done
