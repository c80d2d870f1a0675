requirements["tpm"]=true
requirements["name"]="$BUILDER_CNAME_BASE"
