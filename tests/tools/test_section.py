"""tools/section: what the scripts of `make test` and `make check` end with."""

import pathlib
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Section(unittest.TestCase):
    def test_passes_when_every_step_does(self):
        done = run("beside Slow sleep 0.2\nsection Quick true\ntogether\nsummary")
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
    script = f"set -euo pipefail\n. tools/section\n{steps}\n"
    return subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
