#!/bin/sh
# Installs the tools that peers.py compares with. Every line may fail on its own: peers.py leaves out what is missing.
# Debian packages need root; PyPI packages go where pip puts them; the last two are built from the Rust registry and
# take some minutes, so they are only installed when asked for: install.sh --rust
set -u
apt-get install -y --no-install-recommends grep coreutils time mawk jq miller lnav || echo "left out: Debian packages" >&2
python3 -m pip install duckdb chdb polars pyarrow || echo "left out: PyPI packages" >&2
if [ "${1:-}" = --rust ]; then
    cargo install --locked ag || echo "left out: angle-grinder" >&2
    cargo install --locked kelora || echo "left out: Kelora" >&2
fi
