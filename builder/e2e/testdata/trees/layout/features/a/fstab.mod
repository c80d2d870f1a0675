#!/bin/sh
set -eu
sed "s/nosuid/nosuid,nodev/"
