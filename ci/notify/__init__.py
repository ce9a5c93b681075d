"""Sends the notices of a run by mail, webhook and GitHub status; a notice that cannot be sent costs a warning only.

What is said to whom is decided in `qa.notices`. Passwords, tokens and the addresses of webhooks come from the
environment and leave it only for the server they are meant for.
"""

from ci.notify.dispatch import send_alarm, send_all, tell, tell_begun, tell_cut_off, told_when_cut_off

__all__ = ["send_alarm", "send_all", "tell", "tell_begun", "tell_cut_off", "told_when_cut_off"]
