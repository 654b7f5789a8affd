"""`python -m everbearer`: the command line."""

from everbearer.server.cli import main

if __name__ == "__main__":
    main()
