"""The page about cases shows one that holds."""

import json
import re
from pathlib import Path

from apps.flows.conformance.format import read_case
from apps.flows.conformance.playing import differences

PAGE = Path(__file__).resolve().parents[3] / "docs" / "conformance.md"


def test_the_example_is_a_case_that_passes() -> None:
    (block,) = re.findall(r"^```json\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert differences(read_case(json.loads(block))) == []
