#!/usr/bin/env bash
# Held-out test layouts of every task: layout, real image, three painted ones.
#   ./dev run scripts/experiments/contact_sheets.sh MODEL FOLDER_OF_DATASETS OUTPUT
set -euo pipefail
model=$1 datasets=$2 output=$3
program=${TERRAGEN:-build/release/bin/terragen}
mkdir -p "$output"
for name in dubai_landcover dubai_roads oam_buildings naip_trees_rgb kit_vehicles sen2_ships_rgb; do
  rm -rf "$output/$name"
  "$program" generate --model "$model" "$datasets/$name" --split test --limit 6 --count 3 --seed 1 -o "$output/$name"
  cp "$output/$name/contact_sheet.png" "$output/$name.png"
done
