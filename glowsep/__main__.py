"""``python -m glowsep``: the command line."""

import sys

from glowsep.cli import main

sys.exit(main())
