"""The one exception that means: the input is at fault, and here is what would be right."""


class InputError(Exception):
    """Wrong input, told in one sentence: what, where (file, line or row), and what would be right.

    The command line prints the message and exits with code 2; it never shows a traceback for it.
    """
