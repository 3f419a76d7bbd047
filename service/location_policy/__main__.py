"""`python -m location_policy`, and the installed program."""

from __future__ import annotations

import sys
from io import TextIOWrapper


def main() -> None:
    """Run the command line and exit with its status.

    Hooks of git are run at every push and must start fast: their commands are found before the rest is imported. What
    the encoding of the output does not have is written as an escape, also by what prints no message of ours.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    match sys.argv[1:]:
        case ["pre-receive"] | ["pre-receive", "GL_USERNAME"]:
            from .cli.hooks.pre_receive import pre_receive

            sys.exit(pre_receive(*sys.argv[2:]))
        case ["post-receive"] | ["post-receive", "GL_USERNAME"]:
            from .cli.hooks.post_receive import post_receive

            sys.exit(post_receive(*sys.argv[2:]))
        case ["proc-receive"]:
            from .cli.hooks.proc_receive import proc_receive

            sys.exit(proc_receive())
    from .cli.app import run

    run()


if __name__ == "__main__":
    main()
