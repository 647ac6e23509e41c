"""`python -m testbed.cli` is the command `testbed`."""

from testbed.cli.commands import main

if __name__ == "__main__":
    main()
