"""tools/section: what the scripts of `make test` and `make check` end with."""

import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Section(unittest.TestCase):
    def test_passes_when_every_step_does(self):
        for beside, section in (("sleep 0.2", "true"), ("true", "sleep 0.2")):
            done = run(f"beside First {beside}\nsection Second {section}\ntogether\nsummary")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("2 passed, 0 failed", done.stdout)

    def test_fails_when_a_step_does_and_runs_the_others(self):
        for steps in ("section Bad false", "beside Bad false"):
            done = run(f"{steps}\nsection Good true\ntogether\nsummary")
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("1 passed, 1 failed", done.stdout)
            self.assertIn("failed: Bad", done.stdout)

    def test_shows_what_a_step_beside_said_after_the_one_it_ran_beside(self):
        done = run("beside Slow echo from-beside\nsection Quick echo from-section\ntogether\nsummary")
        self.assertLess(done.stdout.index("from-section"), done.stdout.index("from-beside"))


def run(steps: str) -> subprocess.CompletedProcess[str]:
    # From a file, as the scripts are: `bash -c` forgets the jobs that are done.
    with tempfile.NamedTemporaryFile("w") as script:
        script.write(f"set -euo pipefail\n. tools/section\n{steps}\n")
        script.flush()
        return subprocess.run(["bash", script.name], cwd=ROOT, capture_output=True, text=True, timeout=60)
