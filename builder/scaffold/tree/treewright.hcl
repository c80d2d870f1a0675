# What this tree uses beside its own features: "builtin" are those that are part of
# Treewright. More entries are other trees, whose features can be used as well:
#   "../shared", "/srv/trees/common", "git+https://HOST/REPOSITORY#COMMIT"
use = ["builtin"]
