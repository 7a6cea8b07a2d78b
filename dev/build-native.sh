#!/bin/sh
# Builds native/addon/navstar.node (release) and its types, native/addon/native.d.ts.
# Incremental and without LTO, so that a change costs seconds instead of a minute; a tarball is
# built with CARGO_PROFILE_RELEASE_LTO=thin CARGO_PROFILE_RELEASE_INCREMENTAL=false.
set -eu
cd "$(dirname "$0")/.."
export CARGO_PROFILE_RELEASE_LTO="${CARGO_PROFILE_RELEASE_LTO:-off}"
export CARGO_PROFILE_RELEASE_INCREMENTAL="${CARGO_PROFILE_RELEASE_INCREMENTAL:-true}"
export CARGO_PROFILE_RELEASE_CODEGEN_UNITS="${CARGO_PROFILE_RELEASE_CODEGEN_UNITS:-16}"
exec node_modules/.bin/napi build --release --no-js --dts native.d.ts \
  --manifest-path native/addon/Cargo.toml --config-path native/addon/napi.json \
  --output-dir native/addon -- --locked
