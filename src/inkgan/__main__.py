"""`python -m inkgan` is the command line."""

from inkgan.cli.main import main

if __name__ == "__main__":
    main()
