#!/bin/sh
# Builds native/addon/navstar.node (release) and its types, native/addon/native.d.ts.
set -eu
cd "$(dirname "$0")/.."
exec node_modules/.bin/napi build --release --no-js --dts native.d.ts \
  --manifest-path native/addon/Cargo.toml --config-path native/addon/napi.json \
  --output-dir native/addon -- --locked
