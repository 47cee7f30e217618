"""The toys are a module beside the tests, since it is also a program."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
