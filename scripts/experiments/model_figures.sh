#!/usr/bin/env bash
# Generators side by side on test places: what judges find of their layouts, Frechet distance in a classifier's features,
# the autoencoder's PSNR, and the search for copies of training images.
#   ./dev run scripts/experiments/model_figures.sh FOLDER_OF_DATASETS OUTPUT MODEL...
# Judges and classifier learn from the real training places. What is in OUTPUT already is not measured again.
set -euo pipefail
datasets=$1 output=$2
shift 2
program=${TERRAGEN:-build/release/bin/terragen}
sets=(dubai_landcover dubai_roads oam_buildings naip_trees_rgb kit_vehicles sen2_ships_rgb)
folders=("${sets[@]/#/$datasets/}")
# The base model's second view of the buildings has no test places.
learned=("${folders[@]}" "$datasets/oam_buildings_geotiff")
mkdir -p "$output"
learn() { # NAME ARGS...
  local run=$output/$1
  shift
  [ -e "$run/model" ] || "$program" train "$@" -o "$run" --preview-every 0 --resume --progress
}
# Trees are points: no judge finds them.
declare -A judges=([dubai_landcover]=segmenter [dubai_roads]=segmenter [oam_buildings]=segmenter
  [kit_vehicles]=detector [sen2_ships_rgb]=detector)
for name in "${!judges[@]}"; do
  learn "judge_$name" "${judges[$name]}" "$datasets/$name" --steps 300 --batch 8 --crop 192 --learning-rate 1e-3 \
    --warmup 40 --ema 0.99
done
learn features classifier "${folders[@]}" --steps 600 --batch 32 --crop 128 --learning-rate 1e-3 --warmup 40 --ema 0.99
measure() { # FILE ARGS...: a figure's JSON, once
  local file=$1
  shift
  [ -e "$file.json" ] || "$program" evaluate "$@" --json "$file.json" | tee "$file.txt"
}
for model in "$@"; do
  own=$output/$(echo "$model" | tr / _)
  mkdir -p "$own"
  measure "$own/reconstruction" reconstruction "$model" "${folders[@]}"
  for name in "${!judges[@]}"; do
    measure "$own/fidelity_$name" fidelity "$datasets/$name" --model "$model" --judge "$output/judge_$name/model" --limit 40
  done
  [ -e "$own/painted/dataset.json" ] ||
    "$program" generate --model "$model" "${folders[@]}" --split test --limit 40 --count 1 --seed 1 -o "$own/painted"
  measure "$own/quality" quality "$own/painted" "${folders[@]}" --made-split test --features "$output/features/model"
  measure "$own/memorisation" memorisation "$own/painted" "${learned[@]}" --made-split test --picture "$own/nearest.png"
done
