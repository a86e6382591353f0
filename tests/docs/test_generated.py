"""Pages made from the code say what the code says."""

import subprocess
import sys


def test_every_generated_page_is_current():
    # In a process of its own: click remembers on each command under which names its help was first asked.
    done = subprocess.run([sys.executable, "-m", "tools.docs", "--check"], capture_output=True, text=True)

    assert done.returncode == 0, f"run `make docs`\n{done.stdout}{done.stderr}"
