"""The real sandbox in a process of its own, without its limit of requests so that its work is what is measured.

python -m bench.servers.sandbox AGENTS SPEED
"""

import dataclasses
import os
import sys
import threading

from bench.answering import take_turns
from bench.servers.serving import cpu
from ringonce import sandbox
from ringonce.sandbox.default_org import default_org


def main(agents: int, speed: float) -> None:
    def turns(url: str) -> None:
        take_turns(cpu, url=url)
        os._exit(0)  # whoever started this process has gone, and nothing here outlives it

    def ready(url: str) -> None:
        threading.Thread(target=turns, args=(url,), daemon=True).start()

    org = dataclasses.replace(default_org(agents), rate_limit=None)
    sandbox.run(port=0, org=org, speed=speed, ready=ready)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
