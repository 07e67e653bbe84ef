#!/usr/bin/env python
import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "certdash.settings")
    try:
        "".join(sys.argv).encode()
    except UnicodeEncodeError:
        sys.exit("Nothing was done, because an argument is not UTF-8 text. Write it in UTF-8.")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
