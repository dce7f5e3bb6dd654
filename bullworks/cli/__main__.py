"""`python -m bullworks.cli`: as `main.py`, for the processes that this one starts."""

from bullworks.cli.application import main

if __name__ == "__main__":
    main()
