#!/usr/bin/env bash
# Moves the traffic of the API between revisions, step by step, and back.
set -euo pipefail

usage() {
  cat <<'HELP'
Usage: infra/rollout.sh status|to PERCENT|healthy|finish|rollback [--new-only]|
                        newest-url|stable-revision|stable-image|budget-start

  status      revisions, their traffic and images
  to PERCENT  gives the newest revision this share of the traffic; the stable one keeps the rest
  healthy     exit code 1 if more than 5 % of the answers of the last 15 minutes were 5xx: of the newest
              revision's answers, however small its share, or of all
  finish      gives the newest revision everything, and deactivates the others but the last stable one
  rollback    gives everything back to the stable revision, and deactivates the newest; the workers
              and the scheduled jobs go back to the image of the stable revision. If the newest is the
              stable one, back to the one before it; with --new-only, for a rollout that failed, it stays
  newest-url  prints where the newest revision answers by itself, whatever its share; nothing where the
              environment is closed to all but Front Door, which knows no single revision
  stable-revision, stable-image
              prints its name, or its image; nothing where there is none yet
  budget-start
              prints from when the budget counts, which may not change; nothing where there is none yet

Environment: RESOURCE_GROUP, and SHIM_APP, WORKER_APP where they are not the only ones of their kind.
Needs the Azure CLI, signed in. The stable revision is the one with the label `stable`.
HELP
}

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

group=${RESOURCE_GROUP:-}
app() { # app SERVICE: the container app with this tag
  az containerapp list --resource-group "$group" \
    --query "[?tags.\"azd-service-name\"=='$1'].name | [0]" --output tsv
}
revisions() { # newest first
  az containerapp revision list --name "$shim" --resource-group "$group" \
    --query 'reverse(sort_by(@, &properties.createdTime))[].name' --output tsv
}
image_of() { # image_of REVISION
  az containerapp revision show --name "$shim" --resource-group "$group" --revision "$1" \
    --query 'properties.template.containers[0].image' --output tsv
}
stable() {
  az containerapp ingress traffic show --name "$shim" --resource-group "$group" \
    --query "[?label=='stable'].revisionName | [0]" --output tsv
}
programs_to() { # programs_to REVISION: the workers and the scheduled jobs run its image
  local image
  image=$(image_of "$1")
  # Rows that a newer worker wrote are left alone by an older one, so nothing is lost meanwhile.
  az containerapp update --name "$worker" --resource-group "$group" --image "$image" --output none
  az containerapp job list --resource-group "$group" --query '[].name' --output tsv | while read -r job; do
    az containerapp job update --name "$job" --resource-group "$group" --image "$image" --output none </dev/null
  done
}

case "${1-}" in
  -h | --help) usage; exit 0 ;;
  status | to | healthy | finish | rollback | newest-url | stable-revision | stable-image | budget-start) ;;
  *) usage >&2; exit 2 ;;
esac
[[ -n "$group" ]] || fail 'RESOURCE_GROUP is not set'
command -v az >/dev/null || fail 'the Azure CLI is missing'
if [[ "$1" == stable-* || "$1" == budget-start ]] && [[ "$(az group exists --name "$group")" != true ]]; then
  # Before the first deployment.
  exit 0
fi
if [[ "$1" == budget-start ]]; then
  az rest --method get --query 'value[0].properties.timePeriod.startDate' --output tsv \
    --url "/subscriptions/{subscriptionId}/resourceGroups/$group/providers/Microsoft.Consumption/budgets?api-version=2023-11-01" |
    cut -c 1-10
  exit 0
fi
shim=${SHIM_APP:-$(app api-shim)}
worker=${WORKER_APP:-$(app worker)}
[[ -n "$shim" && -n "$worker" ]] || fail "no apps of Presswork in $group"
mapfile -t all < <(revisions)
newest=${all[0]:-}
[[ -n "$newest" ]] || fail "$shim has no revision"

case "$1" in
  status)
    az containerapp revision list --name "$shim" --resource-group "$group" --output table \
      --query '[].{revision: name, traffic: properties.trafficWeight, health: properties.healthState, image: properties.template.containers[0].image}'
    ;;
  to)
    share=${2-}
    [[ "$share" =~ ^[0-9]+$ ]] && ((share <= 100)) || fail 'PERCENT is a whole number from 0 to 100'
    old=$(stable)
    [[ -n "$old" ]] || fail 'no revision has the label stable: infra/rollout.sh finish gives it'
    [[ "$old" != "$newest" ]] || fail 'the newest revision is the stable one'
    az containerapp revision activate --name "$shim" --resource-group "$group" --revision "$newest" --output none
    az containerapp ingress traffic set --name "$shim" --resource-group "$group" --output none \
      --revision-weight "$newest=$share" "$old=$((100 - share))"
    printf '%s: %s %%, %s: %s %%\n' "$newest" "$share" "$old" "$((100 - share))"
    ;;
  healthy)
    query=$(<"$(dirname "${BASH_SOURCE[0]}")/dashboards/queries/error-rate.kql")
    workspace=$(az monitor log-analytics workspace list --resource-group "$group" --query '[0].customerId' --output tsv)
    # A replica's name, which is that of its instance, begins with its revision's.
    for part in "$newest" ''; do
      asked=${query/AppMetrics/AppMetrics | where AppRoleInstance startswith \'$part\'}
      rate=$(az monitor log-analytics query --workspace "$workspace" --analytics-query "$asked" --timespan PT15M \
        --query '[0].Value' --output tsv)
      printf 'errors of %s: %s %%\n' "${part:-all revisions}" "${rate:-0}"
      awk -v rate="${rate:-0}" 'BEGIN { exit !(rate + 0 <= 5) }'
    done
    ;;
  newest-url)
    environment=$(az containerapp show --name "$shim" --resource-group "$group" \
      --query properties.environmentId --output tsv)
    access=$(az resource show --ids "$environment" --api-version 2024-10-02-preview \
      --query properties.publicNetworkAccess --output tsv)
    [[ "$access" != Enabled ]] ||
      az containerapp revision show --name "$shim" --resource-group "$group" --revision "$newest" \
        --query "join('', ['https://', properties.fqdn])" --output tsv
    ;;
  stable-revision)
    stable
    ;;
  stable-image)
    old=$(stable)
    [[ -z "$old" ]] || image_of "$old"
    ;;
  finish)
    old=$(stable)
    az containerapp ingress traffic set --name "$shim" --resource-group "$group" --output none \
      --revision-weight "$newest=100"
    if [[ -n "$old" && "$old" != "$newest" ]]; then
      az containerapp revision label remove --name "$shim" --resource-group "$group" --label stable --output none
    fi
    az containerapp revision label add --name "$shim" --resource-group "$group" --label stable \
      --revision "$newest" --no-prompt --output none
    # The last stable one stays active for a rollback, without traffic.
    for revision in "${all[@]}"; do
      [[ "$revision" == "$newest" || "$revision" == "$old" ]] ||
        az containerapp revision deactivate --name "$shim" --resource-group "$group" --revision "$revision" --output none
    done
    printf '%s: 100 %%, and stable\n' "$newest"
    ;;
  rollback)
    [[ "${2-}" == '' || "${2-}" == --new-only ]] || fail "rollback knows --new-only, and not $2"
    old=$(stable)
    [[ -n "$old" ]] || fail 'no revision has the label stable'
    if [[ "$old" == "$newest" && "${2-}" == --new-only ]]; then
      # The deployment failed before it made a revision; but workers may be ahead of it.
      programs_to "$old"
      printf '%s: it is the newest one and stays; the workers and jobs run its image\n' "$old"
      exit 0
    fi
    if [[ "$old" == "$newest" ]]; then
      # It was finished already: back to the one before it.
      old=${all[1]:-}
      [[ -n "$old" ]] || fail 'there is no earlier revision'
      az containerapp revision label remove --name "$shim" --resource-group "$group" --label stable --output none
      az containerapp revision label add --name "$shim" --resource-group "$group" --label stable \
        --revision "$old" --no-prompt --output none
    fi
    az containerapp revision activate --name "$shim" --resource-group "$group" --revision "$old" --output none
    az containerapp ingress traffic set --name "$shim" --resource-group "$group" --output none \
      --revision-weight "$old=100"
    programs_to "$old"
    az containerapp revision deactivate --name "$shim" --resource-group "$group" --revision "$newest" --output none
    printf '%s: 100 %%; the workers and jobs run its image\n' "$old"
    ;;
esac
