"""The programs of the quickstart, run as they are printed."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.server.installation import CHECKOUT, Installation
from tests.server.interop import program

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server")]

PAGE = (CHECKOUT / "docs" / "quickstart.md").read_text()
EXPECTED = re.search(r"^```text\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
# heading of the page → language of its block, what runs it, how a file of it is called
LANGUAGES = {
    "curl": ("sh", "sh", "quickstart.sh"),
    "Python": ("python", "python3", "quickstart.py"),
    "PHP": ("php", "php", "quickstart.php"),
    "JavaScript": ("js", "node", "quickstart.mjs"),
}


def printed(heading: str, language: str) -> str:
    """The one program under a heading."""
    chapter = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", chapter, re.DOTALL | re.MULTILINE)
    return str(block)


@pytest.mark.parametrize("heading", LANGUAGES)
def test_program_of_the_quickstart(heading: str, shipped: Installation, tmp_path: Path) -> None:
    language, runs, name = LANGUAGES[heading]
    file = tmp_path / name
    file.write_text(printed(heading, language))
    acme = shipped.acme
    told = {"BASE": shipped.base_url, "CLIENT_ID": acme["client_id"], "CLIENT_SECRET": acme["client_secret"]}
    result = subprocess.run(
        [program(runs), str(file)],
        env=shipped.environment(**told),
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert (result.stderr, result.returncode) == ("", 0)
    assert EXPECTED
    assert result.stdout == EXPECTED[1]
