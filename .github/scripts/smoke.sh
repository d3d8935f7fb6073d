#!/usr/bin/env bash
# Tries an API with the `presswork smoke` of an image, which it pulls from a registry of ours.
#
#   .github/scripts/smoke.sh SERVER/REPOSITORY@sha256:... ENDPOINT
#
# Environment: PRESSWORK_API_KEY, a key for it, and what azure-login.sh takes.
set -euo pipefail
image=${1:?an image by its digest}
endpoint=${2:?the base URL of the API}
: "${PRESSWORK_API_KEY:?}"
# The token of the sign-in before this one has expired when a rollout has waited.
"$(dirname "${BASH_SOURCE[0]}")/azure-login.sh"
az acr login --name "${image%%.*}"
docker run --rm --env PRESSWORK_API_KEY "$image" presswork smoke --endpoint "$endpoint"
