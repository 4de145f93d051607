"""Errors of training runs."""


class TrainingError(RuntimeError):
    """A run that cannot continue; the message is one sentence that says why."""


class Diverged(TrainingError):
    """The loss is not finite."""
