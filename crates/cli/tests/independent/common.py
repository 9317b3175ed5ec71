"""What the comparisons share: they run the binary, keep the list of differences, print the figures.

Nothing in this folder knows how logmill computes anything; it is told by the tables' documentation
(`logmill schema`) and by the platforms' log formats only.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile


class Report:
    """Figures side by side; every difference is kept and makes the exit code 1."""

    SHOWN = 12

    def __init__(self):
        self.differences = []
        self.n_checks = 0

    def same(self, what, ours, independent, quiet=True):
        """Compares two values; prints them unless they are equal and `quiet` is asked for."""
        self.n_checks += 1
        equal = ours == independent
        if not equal:
            self.differences.append(f"{what}: logmill {ours!r}, independent {independent!r}")
        if not quiet or not equal:
            mark = "=" if equal else "DIFFERS"
            if len(self.differences) <= 40 or equal:
                print(f"  {what:<64} {show(ours):>24} {show(independent):>24}  {mark}")
        return equal

    def none(self, what, rows, of=None):
        """Expects a query for offenders to find none; `of` is how many were looked at."""
        self.n_checks += 1
        looked_at = "" if of is None else f"of {of}"
        print(f"  {what:<76} {len(rows):>4} offend {looked_at:<12} {'ok' if not rows else 'DIFFERS'}")
        for row in rows[: self.SHOWN]:
            print(f"      {row}")
        if rows:
            self.differences.append(f"{what}: {len(rows)} rows, first {rows[0]}")

    def finish(self):
        print()
        print(f"{self.n_checks} comparisons, {len(self.differences)} differences")
        for difference in self.differences[:40]:
            print(f"  {difference[:400]}")
        sys.exit(1 if self.differences else 0)


def show(value):
    text = "null" if value is None else str(value)
    return text if len(text) <= 24 else text[:23] + "…"


def arguments(default):
    """The binary and the folder, from the command line."""
    if len(sys.argv) not in (2, 3):
        sys.exit(f"usage: python3 {sys.argv[0]} LOGMILL_BINARY [FOLDER]")
    binary = os.path.abspath(sys.argv[1]) if os.sep in sys.argv[1] else sys.argv[1]
    return binary, os.path.normpath(sys.argv[2] if len(sys.argv) == 3 else default)


def demo():
    """The demo dump of the repository."""
    here = os.path.dirname(os.path.abspath(__file__))
    return os.path.relpath(os.path.join(here, "..", "..", "..", "..", "testdata", "demo"))


def logmill(binary, *arguments, may_refuse=False):
    """Runs it; input that could not be read is no failure here, anything else is.

    With `may_refuse`, None is returned where it refuses the arguments.
    """
    done = subprocess.run([binary, *arguments], capture_output=True, text=True, check=False)
    if may_refuse and done.returncode == 2:
        return None
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join([binary, *arguments])}\nended with {done.returncode}: {done.stderr}")
    return done.stdout


def convert(binary, folder, *options, may_refuse=False):
    """All tables of `folder`, in a new temporary folder, which is returned (None if refused)."""
    out = os.path.join(temporary(), "tables")
    done = logmill(binary, "convert", folder, "-o", out, "--table", "all", *options, may_refuse=may_refuse)
    return None if done is None else out


def temporary():
    """A folder that is gone when the script ends."""
    out = tempfile.mkdtemp(prefix="logmill-independent-")
    atexit.register(shutil.rmtree, out, ignore_errors=True)
    return out
