"""`python -m xaibench` is `xaibench`."""

from xaibench.harness.cli import main

if __name__ == "__main__":
    main()
