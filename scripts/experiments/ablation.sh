#!/usr/bin/env bash
# What each part of the layout's path is worth: the same generator trained with one part left out, two seeds each, equal
# steps, batches, time steps and noise (they depend on the seed alone). Ends with a table of the loss inside objects.
#   ./dev run scripts/experiments/ablation.sh SHARDS MODEL_WITH_AUTOENCODER OUTPUT [STEPS] [THREADS]
set -euo pipefail
shards=$1 model=$2 output=$3 steps=${4:-250} threads=${5:-2}
program=${TERRAGEN:-build/release/bin/terragen}
declare -A variants=(
  [full]="" [no-mask-weighting]="--object-weight 0 --weight-exponent 0" [no-vector-branch]="--no-vector-branch"
  [no-raster-branch]="--no-raster-branch" [single-scale]="--single-scale")
mkdir -p "$output"
for seed in 1 2; do
  for name in full no-mask-weighting no-vector-branch no-raster-branch single-scale; do
    run=$output/$name-$seed
    [ -e "$run/model" ] && continue
    # shellcheck disable=SC2086
    "$program" train generator "$shards" --from "$model" -o "$run" --seed "$seed" --steps "$steps" --crop 128 \
      --batch 16 --unet-channels 48,96,128 --warmup 30 --ema 0.98 --learning-rate 6e-4 --log-every 1 \
      --preview-every "$steps" --checkpoint-every "$steps" --threads "$threads" --data-parallel "$threads" --resume \
      ${variants[$name]} >/dev/null
  done
done
printf '%-20s %10s %10s %10s\n' variant "seed 1" "seed 2" mean
for name in full no-mask-weighting no-vector-branch no-raster-branch single-scale; do
  for seed in 1 2; do
    tail -n "$((steps / 4))" "$output/$name-$seed/log.jsonl" |
      sed 's/.*"loss_inside_objects":\([0-9.e-]*\).*/\1/' | awk '{s += $1} END {printf "%.4f ", s / NR}'
  done | awk -v name="$name" '{printf "%-20s %10.4f %10.4f %10.4f\n", name, $1, $2, ($1 + $2) / 2}'
done
