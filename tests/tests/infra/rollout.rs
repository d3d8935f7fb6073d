//! `infra/rollout.sh` with a stand-in for the Azure CLI: what it asks of Azure, step by step.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::text::root;

/// Answers as a group with three revisions would; what changes something goes to a file.
const AZ: &str = r#"#!/usr/bin/env bash
case "$*" in
  "group exists"*) echo "$EXISTS" ;;
  "containerapp list"*api-shim*) echo shim ;;
  "containerapp list"*worker*) echo worker ;;
  "containerapp revision list"*) printf 'r3\nr2\nr1\n' ;;
  "containerapp revision show"*"--revision r3 "*fqdn*) echo https://r3.example.com ;;
  "containerapp revision show"*"--revision r2 "*image*) echo registry/presswork@r2 ;;
  "containerapp revision show"*"--revision r3 "*image*) echo registry/presswork@r3 ;;
  "containerapp show"*environmentId*) echo /apps/environment ;;
  "resource show --ids /apps/environment "*publicNetworkAccess*) echo "$ACCESS" ;;
  "containerapp ingress traffic show"*) echo "$STABLE" ;;
  "containerapp job list"*) printf 'reconcile\nexport\n' ;;
  "monitor log-analytics workspace"*) echo workspace ;;
  "monitor log-analytics query"*"startswith 'r3'"*) echo "$RATE" ;;
  "monitor log-analytics query"*) echo 0.5 ;;
  "rest --method get"*/resourceGroups/group/*) echo 2026-01-01T00:00:00Z ;;
  *)
    said=$*
    said=${said// --resource-group group/}
    said=${said// --name shim/}
    said=${said// --output none/}
    echo "${said// --no-prompt/}" >>"$LOG"
    ;;
esac
"#;

struct Case {
    arguments: &'static [&'static str],
    stable: &'static str,
    rate: &'static str,
    exists: bool,
    /// From the internet to the environment of the apps.
    access: &'static str,
}

const PLAIN: Case = Case {
    arguments: &[],
    stable: "r2",
    rate: "1.5",
    exists: true,
    access: "Enabled",
};

/// The exit code, what was printed, and what was changed.
fn run(case: &Case) -> (i32, String, Vec<String>) {
    let place = tempfile::tempdir().unwrap();
    let az = place.path().join("az");
    std::fs::write(&az, AZ).unwrap();
    std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).unwrap();
    let log = place.path().join("log");
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", place.path().display());
    let output = Command::new(root().join("infra/rollout.sh"))
        .args(case.arguments)
        .env_clear()
        .env("PATH", path)
        .env("RESOURCE_GROUP", "group")
        .env("STABLE", case.stable)
        .env("RATE", case.rate)
        .env("EXISTS", case.exists.to_string())
        .env("ACCESS", case.access)
        .env("LOG", &log)
        .output()
        .unwrap();
    let changes = std::fs::read_to_string(log).unwrap_or_default();
    let changes = changes.lines().map(str::to_owned).collect();
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.code().unwrap_or(-1), said, changes)
}

#[test]
fn steps_of_a_rollout() {
    let check = |case: Case, code: i32, expect: &[&str]| {
        let (ended, said, changes) = run(&case);
        assert_eq!(ended, code, "{:?}: {said}", case.arguments);
        assert_eq!(changes, expect, "{:?}", case.arguments);
    };
    let with = |arguments| Case { arguments, ..PLAIN };
    check(
        with(&["to", "5"]),
        0,
        &[
            "containerapp revision activate --revision r3",
            "containerapp ingress traffic set --revision-weight r3=5 r2=95",
        ],
    );
    for wrong in [&["to", "101"][..], &["to", "-1"], &["to"], &["to", "x"]] {
        check(with(wrong), 1, &[]);
    }
    check(with(&["go"]), 2, &[]);
    // Nothing to fall back to.
    let first = Case {
        stable: "",
        ..with(&["to", "5"])
    };
    check(first, 1, &[]);
    check(
        with(&["finish"]),
        0,
        &[
            "containerapp ingress traffic set --revision-weight r3=100",
            "containerapp revision label remove --label stable",
            "containerapp revision label add --label stable --revision r3",
            "containerapp revision deactivate --revision r1",
        ],
    );
    // By a person, or after a rollout that failed: a newer one is given up alike.
    for back in [&["rollback"][..], &["rollback", "--new-only"]] {
        check(with(back), 0, BACK_TO_R2);
    }
    check(with(&["rollback", "--all"]), 1, &[]);
    let finished = Case {
        stable: "r3",
        ..with(&["rollback"])
    };
    let mut further = vec![
        "containerapp revision label remove --label stable",
        "containerapp revision label add --label stable --revision r2",
    ];
    further.extend(BACK_TO_R2);
    check(finished, 0, &further);
    // A rollout that failed before there was a revision leaves the stable one alone, which is the
    // newest. Workers may have been replaced already.
    let nothing_new = Case {
        stable: "r3",
        ..with(&["rollback", "--new-only"])
    };
    check(
        nothing_new,
        0,
        &[
            "containerapp update --name worker --image registry/presswork@r3",
            "containerapp job update --name reconcile --image registry/presswork@r3",
            "containerapp job update --name export --image registry/presswork@r3",
        ],
    );
}

const BACK_TO_R2: &[&str] = &[
    "containerapp revision activate --revision r2",
    "containerapp ingress traffic set --revision-weight r2=100",
    "containerapp update --name worker --image registry/presswork@r2",
    "containerapp job update --name reconcile --image registry/presswork@r2",
    "containerapp job update --name export --image registry/presswork@r2",
    "containerapp revision deactivate --revision r3",
];

#[test]
fn questions_about_a_rollout() {
    let check = |case: Case, code: i32, expect: &str| {
        let (ended, said, changes) = run(&case);
        assert_eq!(
            (ended, said.as_str()),
            (code, expect),
            "{:?}",
            case.arguments
        );
        assert_eq!(changes, Vec::<String>::new());
    };
    let with = |arguments| Case { arguments, ..PLAIN };
    check(
        with(&["healthy"]),
        0,
        "errors of r3: 1.5 %\nerrors of all revisions: 0.5 %",
    );
    // The newest alone is bad enough, though all together look well.
    for rate in ["5.01", "100"] {
        check(
            Case {
                rate,
                ..with(&["healthy"])
            },
            1,
            &format!("errors of r3: {rate} %"),
        );
    }
    // No request at all is no error.
    check(
        Case {
            rate: "",
            ..with(&["healthy"])
        },
        0,
        "errors of r3: 0 %\nerrors of all revisions: 0.5 %",
    );
    check(with(&["newest-url"]), 0, "https://r3.example.com");
    // Behind Front Door nobody else gets there, and Front Door knows no single revision.
    for access in ["Disabled", ""] {
        check(
            Case {
                access,
                ..with(&["newest-url"])
            },
            0,
            "",
        );
    }
    check(with(&["stable-revision"]), 0, "r2");
    check(with(&["stable-image"]), 0, "registry/presswork@r2");
    check(with(&["budget-start"]), 0, "2026-01-01");
    check(
        Case {
            exists: false,
            ..with(&["budget-start"])
        },
        0,
        "",
    );
    check(
        Case {
            exists: false,
            ..with(&["stable-revision"])
        },
        0,
        "",
    );
    check(
        Case {
            stable: "",
            ..with(&["stable-image"])
        },
        0,
        "",
    );
}
