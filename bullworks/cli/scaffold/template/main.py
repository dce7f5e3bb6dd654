"""The service: `python main.py` starts it, `python main.py --help` lists what else it can do."""

from bullworks.cli import main

if __name__ == "__main__":
    main("app.app_module:AppModule")
