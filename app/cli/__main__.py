"""`python -m app.cli`: as `main.py`, for the processes that this one starts."""

from app.cli.application import main

if __name__ == "__main__":
    main()
