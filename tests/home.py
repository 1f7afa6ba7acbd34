"""Where the tests keep their private database; loaded before anything reads the settings (``-p tests.home``)."""

import hashlib
import os
import tempfile
from pathlib import Path

CHECKOUT = hashlib.sha256(str(Path(__file__).resolve().parent).encode()).hexdigest()[:12]
HOME = Path(tempfile.gettempdir()) / f"flowize-tests-{os.getuid()}-{CHECKOUT}"

os.environ["FLOWIZE_HOME"] = str(HOME)
os.environ.setdefault("LOG_LEVEL", "ERROR")
# Two runs at once share the server, each with databases of its own.
os.environ.setdefault("FLOWIZE_TEST_RUN", str(os.getpid()))
