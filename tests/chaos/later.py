"""`python later.py SECONDS ARGUMENT…`: the command line in a process whose clock is ahead, as if run so much later."""

import sys
import time

from ringonce.cli import main

if __name__ == "__main__":
    ahead, now = float(sys.argv.pop(1)), time.time
    time.time = lambda: now() + ahead
    main()
