"""``python -m wavebook``: the command line."""

from wavebook.cli import main

main()
