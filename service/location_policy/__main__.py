"""`python -m location_policy`, and the installed program."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its status.

    A hook of git is run at every push and must start fast: its command is found before the rest is imported.
    """
    if sys.argv[1:] == ["pre-receive"]:
        from .cli.prereceive import pre_receive

        sys.exit(pre_receive())
    from .cli.app import run

    run()


if __name__ == "__main__":
    main()
