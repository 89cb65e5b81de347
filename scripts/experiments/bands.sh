#!/usr/bin/env bash
# Any number of bands end to end: a small model of four bands (NAIP, uint8) and one of five (Sentinel-2, uint16), trained,
# measured on test places, painted from held-out layouts with CRS and data type kept. No weights of these are shipped.
#   ./dev run scripts/experiments/bands.sh DATA OUTPUT
set -euo pipefail
data=$1 output=$2
program=${TERRAGEN:-build/release/bin/terragen}
mkdir -p "$output"
for name in naip_trees sen2_ships; do
  root=$output/$name
  [ -e "$root-data/dataset.json" ] || "$program" import "examples/recipes/$name.toml" --root "$data/$name" -o "$root-data"
  [ -e "$root-shards/shards.json" ] || "$program" pack "$root-data" -o "$root-shards"
  [ -e "$root-ae/model" ] || "$program" train autoencoder "$root-shards" -o "$root-ae" --steps 150 --batch 16 --crop 128 \
    --learning-rate 6e-4 --warmup 20 --ema 0.98 --preview-every 150 --resume
  [ -e "$root-gen/model" ] || "$program" train generator "$root-shards" --from "$root-ae/model" -o "$root-gen" --steps 500 \
    --batch 16 --crop 128 --unet-channels 48,96,128 --layout-channels 48,64,96 --learning-rate 6e-4 --warmup 30 --ema 0.98 \
    --threads 2 --data-parallel 2 --cycle 250 --preview-every 500 --resume
  "$program" evaluate reconstruction "$root-gen/model" "$root-shards"
  rm -rf "$root-painted"
  "$program" generate --model "$root-gen/model" "$root-data" --split test --limit 4 --count 2 --seed 1 -o "$root-painted"
  "$program" info "$root-painted"
done
