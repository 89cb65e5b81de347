#!/usr/bin/env bash
# The base model from the folders as they lie: import, pack, autoencoder, generator at 128 and then at 256 pixels, both
# once more with pictures to paint after, decoder.
# Every stage leaves its result in OUTPUT and is left out when that is there; a killed training is resumed.
#   ./dev run scripts/experiments/base_model.sh DATA OUTPUT
set -euo pipefail
data=$1 output=$2
program=${TERRAGEN:-build/release/bin/terragen}
sets=(dubai_landcover dubai_roads oam_buildings oam_buildings_geotiff naip_trees_rgb kit_vehicles sen2_ships_rgb)
mkdir -p "$output"
datasets=()
for name in "${sets[@]}"; do
  # The land cover and its roads, the trees and their colour bands are two views of one folder.
  folder=${name%_rgb}
  [ "$name" = dubai_roads ] && folder=dubai_landcover
  [ -e "$output/$name/dataset.json" ] ||
    "$program" import "examples/recipes/$name.toml" --root "$data/$folder" -o "$output/$name"
  datasets+=("$output/$name")
done
[ -e "$output/shards/shards.json" ] || "$program" pack "${datasets[@]}" -o "$output/shards"
train() { # NAME ARGS...: until its model is there
  local run=$output/$1
  shift
  [ -e "$run/model/model_index.json" ] || "$program" train "$@" -o "$run" --threads 2 --resume --progress
}
train autoencoder autoencoder "$output/shards" --steps 1200 --batch 16 --crop 128 --learning-rate 6e-4 --warmup 40 --ema 0.995
side_by_side=(--data-parallel 2 --loader-threads 1 --inpaint-share 0.15)
train generator-128 generator "$output/shards" --from "$output/autoencoder/model" "${side_by_side[@]}" --cycle 1600 \
  --unet-channels 64,128,192 --layout-channels 48,64,96 --steps 9200 --batch 32 --crop 128 --learning-rate 5e-4 --ema 0.998
train generator-256 generator "$output/shards" --from "$output/generator-128/model" "${side_by_side[@]}" \
  --steps 1000 --batch 8 --crop 256 --learning-rate 1e-4 --warmup 50 --ema 0.995
after_pictures=("${side_by_side[@]}" --reference-share 0.3)
# Ended early, see the model's card.
train references-128 generator "$output/shards" --from "$output/generator-256/model" "${after_pictures[@]}" --cycle 1600 \
  --steps 16000 --batch 32 --crop 128 --learning-rate 3e-4 --warmup 100 --ema 0.998
train references-256 generator "$output/shards" --from "$output/references-128/model" "${after_pictures[@]}" \
  --steps 1000 --batch 8 --crop 256 --learning-rate 1e-4 --warmup 30 --ema 0.995
train decoder decoder "$output/shards" --from "$output/references-256/model" --data-parallel 2 \
  --steps 500 --batch 16 --crop 128 --learning-rate 3e-4 --warmup 40 --ema 0.99 --adversarial-weight 0.5 \
  --adversarial-rate-factor 1
printf 'model: %s\n' "$output/decoder/model"
