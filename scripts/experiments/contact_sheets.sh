#!/usr/bin/env bash
# Held-out test layouts of every task: layout, real image, three painted ones. One JPEG a set in OUTPUT, datasets beside
# it in OUTPUT/painted, and all.jpg with a row a set.
#   ./dev run scripts/experiments/contact_sheets.sh MODEL FOLDER_OF_DATASETS OUTPUT [ROWS]
set -euo pipefail
model=$1 datasets=$2 output=$3 rows=${4:-5}
program=${TERRAGEN:-build/release/bin/terragen}
sets=(dubai_landcover dubai_roads oam_buildings naip_trees_rgb kit_vehicles sen2_ships_rgb)
mkdir -p "$output/painted"
sheet() { # NAME LIMIT DATASETS...
  local name=$1 limit=$2
  shift 2
  rm -rf "$output/painted/$name"
  "$program" generate --model "$model" "$@" --split test --limit "$limit" --count 3 --seed 1 -o "$output/painted/$name"
  gdal_translate -q -of JPEG -co QUALITY=85 "$output/painted/$name/contact_sheet.png" "$output/$name.jpg"
  rm -f "$output/$name.jpg.aux.xml"
}
for name in "${sets[@]}"; do sheet "$name" "$rows" "$datasets/$name"; done
sheet all 1 "${sets[@]/#/$datasets/}"
