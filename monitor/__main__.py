"""`python -m monitor` and `cexwatch` are one program."""

from monitor.cli.program import main

if __name__ == "__main__":
    main()
