#!/usr/bin/env bash
# Copies an image into the registry of an environment, and prints its name there: the same digest. Each
# environment has a registry of its own, the only one from which its identities may pull.
#
#   .github/scripts/import-image.sh SERVER/REPOSITORY@sha256:...
#
# Environment: RESOURCE_GROUP, whose registry it is, and GITHUB_SHA, the tag. Whoever is signed in reads
# the one registry and imports into the other (Contributor holds both).
set -euo pipefail
image=${1:?an image by its digest}
: "${RESOURCE_GROUP:?}" "${GITHUB_SHA:?}"
[[ "$image" =~ ^[a-z0-9.]+/[a-z0-9./_-]+@sha256:[0-9a-f]{64}$ ]] || {
  printf 'error: %s is no image by its digest\n' "$image" >&2
  exit 1
}
from=${image%%/*}
path=${image#*/}
repository=${path%%@*}
digest=${path#*@}

list() { # list EXPRESSION: of the registry of the environment
  az acr list --resource-group "$RESOURCE_GROUP" --query "$1" --output tsv
}
name=$(list '[0].name')
server=$(list '[0].loginServer')
[[ -n "$name" && -n "$server" ]] || {
  printf 'error: %s has no registry; the first deployment makes it\n' "$RESOURCE_GROUP" >&2
  exit 1
}
if [[ "$from" != "$server" ]]; then
  # With a tag: the registry deletes manifests that have none. Again after a run that broke off: --force.
  az acr import --name "$name" --source "$image" --image "$repository:$GITHUB_SHA" --force --output none >&2
  az acr repository show --name "$name" --image "$repository@$digest" --output none >&2
fi
printf '%s/%s@%s\n' "$server" "$repository" "$digest"
