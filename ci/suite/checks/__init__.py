"""The checks themselves: ordinary tests, each of which is made for every camera chosen."""
