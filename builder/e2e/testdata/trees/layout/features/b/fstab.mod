#!/bin/sh
set -eu
# no swap here
grep -v swap
echo "# a comment of no use"
