"""`python -m xaibench` is `xaibench`."""

from xaibench.cli.app import main

if __name__ == "__main__":
    main()
