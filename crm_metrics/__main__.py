"""`python -m crm_metrics`: import, undo, show, run. `--help` lists all commands."""

from crm_metrics.cli import main

if __name__ == "__main__":
    main()
