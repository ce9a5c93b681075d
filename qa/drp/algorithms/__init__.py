"""Pure array functions of the embedded pipeline; the tasks around them only connect."""
