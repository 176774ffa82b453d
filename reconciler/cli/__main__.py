"""`python -m reconciler.cli` is the command `modelpolicy`."""

from reconciler.cli.root import main

main()
