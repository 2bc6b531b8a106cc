"""`python -m ringonce`: the command line without its script on the PATH."""

from ringonce.cli import main

main()
