"""Ask the advisory service about every locked package, and say plainly which ones it gave no answer for.

pip-audit says "no known vulnerabilities" also when the service answered for no package at all, so its JSON
is read here. A known vulnerability fails the check. A service out of reach does not: a machine with a package
mirror and nothing else can run `make check` too.
"""

import json
import subprocess
import sys

TIMEOUT_S = 180


def audit(lock: str) -> tuple[list[str], int, int, str]:
    """Return the findings, the numbers of packages asked for and answered, and why some were not answered."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", lock, "--disable-pip", "--require-hashes"]
    command += ["--progress-spinner", "off", "--format", "json"]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return [], 0, 0, f"no answer within {TIMEOUT_S} s"
    try:
        packages = json.loads(ran.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (ran.stderr.strip() or ran.stdout.strip() or "no output").splitlines()[-1]
        return [], 0, 0, last[:200]
    findings = [
        f"{package['name']} {package['version']}: {known['id']}, fixed in {known['fix_versions']}"
        for package in packages
        for known in package.get("vulns", ())
    ]
    unanswered = [package["skip_reason"] for package in packages if "skip_reason" in package]
    return findings, len(packages), len(packages) - len(unanswered), unanswered[0] if unanswered else ""


def main() -> None:
    """Audit each lock named on the command line."""
    failed = False
    for lock in sys.argv[1:]:
        findings, asked, answered, reason = audit(lock)
        for finding in findings:
            print(f"  {lock}: {finding}")
        failed = failed or bool(findings)
        if reason:
            print(f"  {lock}: NOT AUDITED, the service answered for {answered} of {asked}: {reason}")
        else:
            print(f"  {lock}: {asked} packages, {len(findings)} known vulnerabilities")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
