//! The steps of the workflows and the scripts that they call, with stand-ins for what is not here:
//! Azure, Docker, GitHub's tokens, and time.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::text::{files, read, root};

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A folder with programs of ours in front of the machine's, in a file of which they say what they
/// were asked.
struct Stage {
    place: tempfile::TempDir,
}

impl Stage {
    fn new(programs: &[(&str, &str)]) -> Self {
        let stage = Self {
            place: tempfile::tempdir().unwrap(),
        };
        for (name, script) in programs {
            let path = stage.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, format!("#!/usr/bin/env bash\n{script}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        stage
    }

    fn path(&self) -> &Path {
        self.place.path()
    }

    /// The exit code, what was printed, and what was called.
    fn run(&self, command: &mut Command, env: &[(&str, &str)]) -> (i32, String, Vec<String>) {
        let log = self.path().join("log");
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.path().display());
        let output = command
            .current_dir(self.path())
            .env_clear()
            .env("PATH", path)
            .env("LOG", &log)
            .envs(env.iter().copied())
            .output()
            .unwrap();
        let called = std::fs::read_to_string(&log).unwrap_or_default();
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let called = called.lines().map(str::to_owned).collect();
        (output.status.code().unwrap_or(-1), said, called)
    }
}

/// The lines of the step with this name in `deploy.yml`, and its script among them.
fn step(name: &str) -> (String, String) {
    let workflow = read(".github/workflows/deploy.yml");
    let begin = format!("      - name: {name}\n");
    let (_, rest) = workflow
        .split_once(&begin)
        .unwrap_or_else(|| panic!("no step {name}"));
    let whole = rest.split("\n      - name: ").next().unwrap();
    let (head, script) = whole
        .split_once("        run: |\n")
        .expect("it has a script");
    let indented = script
        .lines()
        .take_while(|line| line.starts_with("          "));
    let lines: Vec<&str> = indented.map(|line| &line[10..]).collect();
    (head.to_owned(), lines.join("\n"))
}

/// Says its name and what it was asked.
const SAYS: &str = r#"echo "$(basename "$0") $*" >>"$LOG""#;

/// A rollout with an environment that is reached at `own`, and the call at which it breaks off.
fn rollout(own: &str, breaks: &str) -> (i32, Vec<String>) {
    let script = format!(
        r#"[[ "$*" == newest-url ]] && {{ echo "{own}"; exit; }}
{SAYS}
[[ "$*" != "{breaks}" ]]"#
    );
    let stage = Stage::new(&[
        ("infra/rollout.sh", script.as_str()),
        (".github/scripts/azure-login.sh", SAYS),
        (".github/scripts/smoke.sh", SAYS),
        ("sleep", SAYS),
    ]);
    let (_, script) = step("Roll out, 5, 25, 100 per cent");
    // As the runner does.
    let mut command = Command::new("bash");
    command.args(["-e", "-c", &script]);
    let env = [("IMAGE", "image"), ("ENDPOINT", "api"), ("WATCH", "15")];
    let (code, _, called) = stage.run(&mut command, &env);
    (code, called)
}

#[test]
fn a_rollout_signs_in_again_after_each_wait() {
    let steps = |shares: &[&str]| -> Vec<String> {
        let of = |share: &&str| {
            [
                format!("rollout.sh to {share}"),
                "smoke.sh image api".to_owned(),
                "sleep 900".to_owned(),
                "azure-login.sh ".to_owned(),
                "rollout.sh healthy".to_owned(),
            ]
        };
        shares.iter().flat_map(of).collect()
    };
    let whole = |first: &[&str], last: &str| -> Vec<String> {
        let first = first.iter().map(|line| (*line).to_owned());
        let rest = steps(&["5", "25", "100"]);
        first.chain(rest).chain([last.to_owned()]).collect()
    };
    let begin = ["azure-login.sh ", "smoke.sh image https://r3"];
    let expect = whole(&begin, "rollout.sh finish");
    assert_eq!(rollout("https://r3", ""), (0, expect));
    // Behind Front Door the new revision has no address of its own.
    let expect = whole(&begin[..1], "rollout.sh finish");
    assert_eq!(rollout("", ""), (0, expect));

    let (code, called) = rollout("", "healthy");
    assert_ne!(code, 0);
    assert_eq!(called[1..], steps(&["5"]), "it ends there");
}

#[test]
fn a_rollout_that_ends_early_gives_up_what_is_new_and_nothing_else() {
    let (head, script) = step("Roll back");
    assert!(
        head.contains("        if: failure() || cancelled()\n"),
        "{head}"
    );
    let lines: Vec<&str> = script.lines().collect();
    let expect = [
        ".github/scripts/azure-login.sh",
        "infra/rollout.sh rollback --new-only",
    ];
    assert_eq!(lines, expect);
    // A person may go further.
    let by_hand = read(".github/workflows/rollback.yml");
    assert!(by_hand.contains("infra/rollout.sh rollback\n"));
}

#[test]
fn a_smoke_begins_with_a_sign_in_of_its_own() {
    let script = std::fs::read_to_string(root().join(".github/scripts/smoke.sh")).unwrap();
    let script = script.split_once('\n').unwrap().1;
    let login = std::fs::read_to_string(root().join(".github/scripts/azure-login.sh")).unwrap();
    let login = login.split_once('\n').unwrap().1;
    let stage = Stage::new(&[
        ("scripts/smoke.sh", script),
        ("scripts/azure-login.sh", login),
        ("curl", r#"cat >/dev/null; echo '{"value": "a-token"}'"#),
        ("jq", "cat >/dev/null; echo a-token"),
        ("az", SAYS),
        ("docker", SAYS),
    ]);
    let mut command = Command::new(stage.path().join("scripts/smoke.sh"));
    command.args(["crone.azurecr.io/presswork@sha256:1", "https://api"]);
    let env = [
        ("PRESSWORK_API_KEY", "key"),
        ("AZURE_CLIENT_ID", "client"),
        ("AZURE_TENANT_ID", "tenant"),
        ("AZURE_SUBSCRIPTION_ID", "subscription"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://token"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request"),
    ];
    let (code, said, called) = stage.run(&mut command, &env);
    assert_eq!(code, 0, "{said}");
    let expect = [
        "az login --service-principal --username client --tenant tenant --federated-token a-token --output none",
        "az account set --subscription subscription",
        "az acr login --name crone",
        "docker run --rm --env PRESSWORK_API_KEY crone.azurecr.io/presswork@sha256:1 presswork smoke --endpoint https://api",
    ];
    assert_eq!(called, expect);
}

#[test]
fn an_image_comes_into_the_registry_of_its_environment_by_digest() {
    const AZ: &str = r#"case "$*" in
  "acr list --resource-group group --query [0].name "*) [[ -z "$SERVER" ]] || echo crtwo ;;
  "acr list --resource-group group --query [0].loginServer "*) echo "$SERVER" ;;
  *) echo "$*" >>"$LOG" ;;
esac"#;
    let stage = || Stage::new(&[("az", AZ)]);
    let check = |image: &str, server: &str, code: i32, printed: &str, expect: &[&str]| {
        let mut command = Command::new(root().join(".github/scripts/import-image.sh"));
        command.arg(image);
        let env = [
            ("RESOURCE_GROUP", "group"),
            ("GITHUB_SHA", "c0ffee"),
            ("SERVER", server),
        ];
        let (ended, said, called) = stage().run(&mut command, &env);
        assert_eq!((ended, said.as_str()), (code, printed), "{image}");
        assert_eq!(called, expect, "{image}");
    };
    let built = format!("crone.azurecr.io/presswork@{DIGEST}");
    let here = format!("crtwo.azurecr.io/presswork@{DIGEST}");
    let import = format!(
        "acr import --name crtwo --source {built} --image presswork:c0ffee --force --output none"
    );
    let seen = format!("acr repository show --name crtwo --image presswork@{DIGEST} --output none");
    check(&built, "crtwo.azurecr.io", 0, &here, &[&import, &seen]);
    // It was built there.
    check(&here, "crtwo.azurecr.io", 0, &here, &[]);
    // No registry yet, and an image that is not named by its digest.
    check(&built, "", 1, "", &[]);
    check(
        "crone.azurecr.io/presswork:latest",
        "crtwo.azurecr.io",
        1,
        "",
        &[],
    );
}

/// The registry of an environment is the only one from which its identities may pull.
#[test]
fn what_is_deployed_and_tried_is_the_environment_s_own_image() {
    let registry = read("infra/bicep/modules/registry.bicep");
    assert!(registry.contains("scope: registry\n"), "of AcrPull");
    let workflow = read(".github/workflows/deploy.yml");
    let (_, environments) = workflow.split_once("\n  staging:\n").unwrap();
    let imports = environments.matches("import-image.sh \"$IMAGE\"").count();
    assert_eq!(imports, 2, "staging and production");
    let built = environments.matches("IMAGE: ${{ needs.image.outputs.image }}");
    assert_eq!(built.count(), imports, "only what is imported is another's");
    let own = environments.matches("IMAGE: ${{ steps.import.outputs.image }}");
    assert_eq!(own.count(), 2 * imports, "deployed and tried, in both");
    // Nobody signs Docker in to a registry by its own name, which would be another's.
    for (file, text) in files(".github/workflows", &[".yml"]) {
        for line in text.lines().filter(|line| line.contains("vars.REGISTRY")) {
            assert!(file.ends_with("deploy.yml"), "{file}: {line}");
        }
        assert_eq!(
            text.matches("docker run").count(),
            0,
            "{file}: see smoke.sh"
        );
    }
}
